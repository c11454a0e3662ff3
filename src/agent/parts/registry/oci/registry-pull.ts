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

/** The result of a pull of the first bytes of an image. */
export interface Pulled {
  /** The digest to which the tag points: that of the index if the image has one, otherwise that of the manifest. */
  readonly digest: string;
  readonly layers: number;
  /** The number of the fetched layer, counted from 1: the first layer with content. */
  readonly layer: number;
  /** The number of bytes received; `size` is the number of bytes in the whole layer. */
  readonly bytes: number;
  readonly size: number;
  /** The host that sent the bytes. */
  readonly from: string;
  /** True if the registry required no login. */
  readonly anonymous: boolean;
}

/** The most bytes to fetch from a layer. */
const part = 64 * 1024;

/**
 * Begins to pull an image as a container runtime does: fetches its manifest, follows the registry's redirects, and
 * fetches the first bytes of the first layer.
 *
 * Throws `StorageUnreachable` and the errors of `findImage`. Source: OCI Distribution Specification, "Pull".
 */
export async function pull(opening: RegistrySession, image: Image, arch: 'x64' | 'arm64'): Promise<Pulled> {
  const { digest, layers, session } = await findImage(opening, image, arch);
  const index = layers.findIndex(({ size }) => size > 0);
  const first = layers[index];
  if (first === undefined) {
    throw imageNotFound(image.name, 'it has no layers with content');
  }
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
  if (refused?.because === 'too many') {
    throw unexpected(server, `redirects a layer more than ${mostRedirects} times`);
  }
  if (refused) {
    throw unexpected(server, 'redirects a layer to something else than an https address');
  }
  return { response: answer, url };
}

/**
 * Requests the first bytes at a URL. Sends the authorization only to the login server, since the URL of a redirect
 * already contains a permission. Throws the errors of `ask`, or the error that `storageUnreachable` returns if another
 * host cannot be reached.
 */
async function askAt(session: RegistrySession, url: URL): Promise<HttpResponse> {
  const headers = { range: `bytes=0-${part - 1}` };
  if (url.host === session.server) {
    return ask(session, url.pathname + url.search, headers);
  }
  try {
    return await session.host.send({ method: 'GET', url: url.href, headers });
  } catch (thrown) {
    throw thrown instanceof NodeError ? storageUnreachable(session, url.host, thrown) : thrown;
  }
}

/**
 * Returns the number of received bytes according to the headers, since the Host returns a body as text, which corrupts
 * binary data; returns the size of the layer if the headers lack the number. Throws if the status is neither 200 nor
 * 206, or if the size in the headers differs from that in the manifest.
 */
function received(
  response: HttpResponse,
  url: URL,
  session: RegistrySession,
  image: Image,
  layer: Layer,
): number {
  const { server, host } = session;
  if (response.status !== 200 && response.status !== 206) {
    if (url.host !== server) {
      throw storageRefused(session, url.host, response, host.now());
    }
    throw pullRefused(response, session, image.name, 'the registry does not have its first layer');
  }
  const { bytes, size } = counted(response);
  if (size !== undefined && size !== layer.size) {
    throw unexpected(url.host, `sends another layer of ${image.name} than its manifest names`);
  }
  return bytes ?? layer.size;
}

/**
 * Returns the received bytes and the size of a layer, as far as the headers contain them. Content-Range contains both,
 * or `*` for the size (RFC 9110, section 14.4); a response with the whole layer may have no length.
 */
function counted({ status, headers }: HttpResponse): { readonly bytes?: number; readonly size?: number } {
  const length = headers['content-length'];
  if (status === 200) {
    return length === undefined ? {} : { bytes: Number(length), size: Number(length) };
  }
  const [, last, total] = /^bytes 0-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  const bytes = Number(last) + 1;
  return total === '*' ? { bytes } : { bytes, size: Number(total) };
}
