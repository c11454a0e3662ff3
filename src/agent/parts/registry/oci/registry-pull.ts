import { NodeError } from '../../../engine/errors.ts';
import type { HttpResponse } from '../../../engine/host.ts';
import { followRedirects, mostRedirects } from '../../../engine/redirects.ts';
import {
  imageNotFound,
  pullRefused,
  storageRefused,
  storageUnreachable,
  unexpected,
} from '../proof/pull-errors.ts';
import { findImage, type Image, type Layer } from './registry-manifest.ts';
import { ask, type RegistrySession } from './registry-session.ts';

/** What came of a pull that was begun. */
export interface Pulled {
  /** Of the tag: an index's, where the image has one. */
  readonly digest: string;
  readonly layers: number;
  /** The number of the layer that was fetched, the first that has content. */
  readonly layer: number;
  /** Of that layer: how much of it came, and how large it is. */
  readonly bytes: number;
  readonly size: number;
  /** The host that the bytes came from. */
  readonly from: string;
  /** True where the registry gave all that without asking for a login. */
  readonly anonymous: boolean;
}

/** The most that is fetched of a layer. */
const part = 64 * 1024;

/**
 * Begins to pull an image as a container runtime does: its manifest, and the first bytes of its first layer, from wherever
 * the registry redirects to.
 *
 * `StorageUnreachable`, and what `findImage` throws. Source: OCI Distribution Specification, "Pull".
 */
export async function pull(opening: RegistrySession, image: Image, arch: 'x64' | 'arm64'): Promise<Pulled> {
  const { digest, layers, session } = await findImage(opening, image, arch);
  const index = layers.findIndex(({ size }) => size > 0);
  const first = layers[index];
  if (first === undefined) throw imageNotFound(image.name, 'it has no layers with content');
  const { response, url } = await fetchPart(session, image, first);
  return {
    digest,
    layers: layers.length,
    layer: index + 1,
    bytes: received(response, url, session, image, first),
    size: first.size,
    from: url.host,
    anonymous: session.authorization === undefined,
  };
}

async function fetchPart(
  session: RegistrySession,
  image: Image,
  { digest }: Layer,
): Promise<{ readonly response: HttpResponse; readonly url: URL }> {
  const { server } = session;
  const start = new URL(`https://${server}/v2/${image.repository}/blobs/${digest}`);
  const { answer, url, refused } = await followRedirects(start, (url) => askAt(session, url));
  if (refused?.because === 'too many')
    throw unexpected(server, `redirects a layer more than ${mostRedirects} times`);
  if (refused) throw unexpected(server, 'redirects a layer to something else than an https address');
  return { response: answer, url };
}

/** The authorization stays with the login server: where a redirect leads, the address itself is the permission. */
async function askAt(session: RegistrySession, url: URL): Promise<HttpResponse> {
  const headers = { range: `bytes=0-${part - 1}` };
  if (url.host === session.server) return ask(session, url.pathname + url.search, headers);
  try {
    return await session.host.send({ method: 'GET', url: url.href, headers });
  } catch (thrown) {
    throw thrown instanceof NodeError ? storageUnreachable(session, url.host, thrown) : thrown;
  }
}

/** How many bytes came, by the headers: the Host gives a body as text, which binary data does not survive. */
function received(
  response: HttpResponse,
  url: URL,
  session: RegistrySession,
  image: Image,
  layer: Layer,
): number {
  const { server, host } = session;
  if (response.status !== 200 && response.status !== 206) {
    if (url.host !== server) throw storageRefused(session, url.host, response, host.now());
    throw pullRefused(response, session, image.name, 'the registry does not have its first layer');
  }
  const { bytes, size } = counted(response);
  if (size !== undefined && size !== layer.size)
    throw unexpected(url.host, `sends another layer of ${image.name} than its manifest names`);
  return bytes ?? layer.size;
}

/** Of a part Content-Range tells both, or `*` for the size (RFC 9110, section 14.4); the whole may come without its length. */
function counted({ status, headers }: HttpResponse): { readonly bytes?: number; readonly size?: number } {
  const length = headers['content-length'];
  if (status === 200) return length === undefined ? {} : { bytes: Number(length), size: Number(length) };
  const [, last, total] = /^bytes 0-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  const bytes = Number(last) + 1;
  return total === '*' ? { bytes } : { bytes, size: Number(total) };
}
