/**
 * Serves the release pages of K3s and Flux, and the channel server of K3s, under their real host names. The executables
 * are built from the stand-ins.
 *
 * Models github.com (releases/download/<tag>/<asset> redirects to a signed URL; a tag's `+` must be written %2B),
 * release-assets.githubusercontent.com (ranges, ETags), and the checksum files of the releases (k3s:
 * sha256sum-<arch>.txt; flux: flux_<version>_checksums.txt).
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from './azure/loopback.ts';
import { bundleStandIn } from './bundle.ts';
import { answerChannels, channelServer } from './channels.ts';
import type { LabCloud } from './lab-clouds.ts';
import { tarball } from './tar.ts';

/** A fault of a download: one wrong byte, a transfer that breaks off halfway, the status 503, or a slow transfer. */
export type MirrorFault = 'corrupt' | 'truncate' | 'unavailable' | 'slow';

export interface Mirror {
  /**
   * Applies the fault to the next `times` downloads of assets whose `owner/repository/tag/asset` matches `on`; by
   * default to all downloads until `heal`.
   */
  fail(fault: MirrorFault, options?: { readonly on?: RegExp; readonly times?: number }): void;
  heal(): void;
  /** Adds files to a release; `release` is `owner/repository/tag`. */
  publish(release: string, files: Readonly<Record<string, Buffer>>): void;
  /** Adds a release of K3s whose executable, for all architectures, has this content. */
  publishK3s(version: string, executable: Buffer): void;
  /** The newest release of each channel of K3s. */
  readonly channels: Map<string, string>;
  stop(): Promise<void>;
}

export interface MirrorOptions {
  readonly k3sVersions?: readonly string[];
  readonly fluxVersion?: string;
  /** The path of the Node binary that runs the executables; by default the binary of this process. */
  readonly interpreter?: string;
}

interface Asset {
  readonly content: Buffer;
  readonly etag: string;
}

const page = 'github.com';
const store = 'release-assets.githubusercontent.com';

/** Starts the mirror, and makes the emulated cloud's proxy route the host names of the release pages to the mirror. */
export async function startMirror(
  cloud: Pick<LabCloud, 'issue' | 'route' | 'requests'>,
  options: MirrorOptions = {},
): Promise<Mirror> {
  const assets = await buildReleases(options);
  const faults: { readonly fault: MirrorFault; readonly on: RegExp; times: number }[] = [];
  const channels = new Map<string, string>();
  const tls = cloud.issue([page, store, channelServer]);
  const server = createServer(tls, async (request, response) => {
    const [host = ''] = (request.headers.host ?? '').split(':');
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const id = host === page ? releasePath(path) : storedPath(path, query);
    const asset = id === undefined ? undefined : assets.get(id);
    const found = faults.find(({ on, times }) => host === store && times > 0 && on.test(id ?? ''));
    if (found) {
      found.times -= 1;
    }
    if (host === channelServer) {
      answerChannels(channels, request, response);
    } else {
      await answer(host, id, asset, found?.fault, request, response);
    }
    const { method = 'GET' } = request;
    cloud.requests.push({ server: 'mirror', method, host, path, query: '', status: response.statusCode });
  });
  const listening = await listen(server);
  for (const name of [page, store, channelServer]) {
    cloud.route(`${name}:443`, listening.port);
  }
  return {
    fail: (fault, { on = /./, times = Number.POSITIVE_INFINITY } = {}) =>
      faults.unshift({ fault, on, times }),
    heal: () => faults.splice(0),
    publish: (release, files) => publish(assets, release, files),
    publishK3s: (version, executable) => publish(assets, `k3s-io/k3s/${version}`, k3sRelease(executable)),
    channels,
    stop: listening.stop,
  };
}

/**
 * Returns `owner/repository/tag/asset` for the URL path of a release asset; `undefined` for any other path. A `+` that
 * is not encoded becomes a space, and such a tag does not exist.
 */
function releasePath(path: string): string | undefined {
  const [, owner, repository, tag = '', asset] =
    /^\/([^/]+)\/([^/]+)\/releases\/download\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (owner === undefined) {
    return undefined;
  }
  return [owner, repository, decodeURIComponent(tag.replaceAll('+', ' ')), asset].join('/');
}

function storedPath(path: string, query: string): string | undefined {
  const id = /^\/github-production-release-asset\/([\w-]+)$/.exec(path)?.[1];
  const signed = new URLSearchParams(query).get('sig') !== null;
  return id === undefined || !signed ? undefined : Buffer.from(id, 'base64url').toString();
}

async function answer(
  host: string,
  id: string | undefined,
  asset: Asset | undefined,
  fault: MirrorFault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (id === undefined || asset === undefined) {
    response.writeHead(404).end('Not Found');
  } else if (host === page) {
    const stored = `/github-production-release-asset/${Buffer.from(id).toString('base64url')}`;
    const location = `https://${store}${stored}?sp=r&sv=2018-11-09&sr=b&sig=lab&rsct=application%2Foctet-stream`;
    response.writeHead(302, { location }).end();
  } else if (fault === 'unavailable') {
    response.writeHead(503, { 'content-type': 'text/plain' }).end('Service Unavailable');
  } else {
    await send(asset, fault, request, response);
  }
}

async function send(
  { content, etag }: Asset,
  fault: MirrorFault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const same = [undefined, etag].includes(request.headers['if-range']?.toString());
  const from = asked !== undefined && same ? Number(asked) : 0;
  const headers = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', etag };
  if (from > 0 && from >= content.length) {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  const range = { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
  const partial = asked !== undefined && same;
  const body = fault === 'corrupt' ? corrupted(content).subarray(from) : content.subarray(from);
  response.writeHead(partial ? 206 : 200, {
    ...headers,
    ...(partial ? range : {}),
    'content-length': body.length,
  });
  if (request.method === 'HEAD') {
    response.end();
  } else if (fault === 'truncate') {
    response.write(body.subarray(0, body.length >> 1), () => response.destroy());
  } else if (fault === 'slow') {
    await trickle(body, response);
  } else {
    response.end(body);
  }
}

async function trickle(body: Buffer, response: ServerResponse): Promise<void> {
  for (let at = 0; at < body.length && !response.destroyed; at += 4096) {
    response.write(body.subarray(at, at + 4096));
    await sleep(50);
  }
  response.end();
}

function corrupted(content: Buffer): Buffer {
  const other = Buffer.from(content);
  const middle = other.length >> 1;
  other[middle] = (other[middle] ?? 0) ^ 0xff;
  return other;
}

async function buildReleases({
  k3sVersions = ['v1.36.3+k3s1'],
  fluxVersion = '2.9.4',
  interpreter,
}: MirrorOptions): Promise<Map<string, Asset>> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-mirror-'));
  const assets = new Map<string, Asset>();
  for (const version of k3sVersions) {
    const built = await bundleStandIn('k3s', join(directory, 'k3s'), { K3S_VERSION: version }, interpreter);
    publish(assets, `k3s-io/k3s/${version}`, k3sRelease(await readFile(built)));
  }
  const flux = await bundleStandIn('flux', join(directory, 'flux'), {}, interpreter);
  publish(assets, `fluxcd/flux2/v${fluxVersion}`, fluxRelease(fluxVersion, await readFile(flux)));
  await rm(directory, { recursive: true });
  return assets;
}

function publish(assets: Map<string, Asset>, release: string, files: Readonly<Record<string, Buffer>>): void {
  for (const [name, content] of Object.entries(files)) {
    const etag = `"0x${sha256(content).slice(0, 16).toUpperCase()}"`;
    assets.set(`${release}/${name}`, { content, etag });
  }
}

function k3sRelease(executable: Buffer): Record<string, Buffer> {
  const images = sha256(Buffer.from('images'));
  const sums = (name: string, arch: string) =>
    Buffer.from(`${images}  k3s-airgap-images-${arch}.tar.zst\n${sha256(executable)}  ${name}\n`);
  return {
    k3s: executable,
    'k3s-arm64': executable,
    'sha256sum-amd64.txt': sums('k3s', 'amd64'),
    'sha256sum-arm64.txt': sums('k3s-arm64', 'arm64'),
  };
}

function fluxRelease(version: string, executable: Buffer): Record<string, Buffer> {
  const archive = tarball({ flux: executable });
  const names = ['amd64', 'arm64'].map((arch) => `flux_${version}_linux_${arch}.tar.gz`);
  const sums = names.map((name) => `${sha256(archive)}  ${name}\n`).join('');
  return {
    ...Object.fromEntries(names.map((name) => [name, archive])),
    [`flux_${version}_checksums.txt`]: Buffer.from(sums),
  };
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
