/**
 * Debian's docker-registry (distribution 2.8) behind an emulated Azure registry. The real registry stores the images,
 * and verifies the emulated registry's access tokens with a certificate that it trusts through the lab's CA.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Blob } from '../azure/image.ts';
import type { Azure } from '../azure/index.ts';
import { Signer } from '../azure/jwt.ts';
import type { Incoming, Reply } from '../azure/loopback.ts';
import { tokenIssuer } from '../azure/registry-tokens.ts';
import { freePort } from '../lab.ts';
import { endProcess, type Processes } from '../processes.ts';

export interface DockerRegistryOptions {
  readonly azure: Azure;
  /** The login server of the emulated registry in front of the real one. */
  readonly loginServer: string;
  /** The folder for the data of the registry; created if it is missing. */
  readonly dir: string;
  readonly processes: Processes;
}

export interface DockerRegistry {
  /** Pushes a small image to the real registry, and adds the image to the emulated one for the metadata API. */
  push(name: string, tag: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the real registry, and makes the emulated registry forward requests to it. Rejects if the real registry does
 * not answer.
 */
export async function startDockerRegistry(options: DockerRegistryOptions): Promise<DockerRegistry> {
  const { azure, loginServer, dir, processes } = options;
  const port = await freePort();
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'config.yml'), stringify(configuration(options, port)));
  const child = processes.start('docker-registry', ['serve', join(dir, 'config.yml')], {});
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => (log += text));
  }
  await answering(port).catch(() => {
    throw new Error(`docker-registry does not answer: ${log}`);
  });
  const registry = azure.registry(loginServer);
  registry.upstream = {
    forward: (request) => forward(port, request),
    blob: (digest) => storedBlob(dir, digest),
  };
  const signer = new Signer(azure.issueRsa(['push.lab']));
  return {
    push: async (name, tag) => {
      const { index, manifests, blobs } = registry.push(name, tag);
      const token = signer.signWithCertificate(pushClaims(loginServer, name));
      const target: Target = { port, name, headers: { authorization: `Bearer ${token}` } };
      for (const blob of blobs) {
        await pushBlob(target, blob);
      }
      for (const manifest of manifests) {
        await pushManifest(target, manifest.digest, manifest);
      }
      await pushManifest(target, tag, index);
    },
    stop: () => endProcess(child),
  };
}

function configuration({ azure, loginServer, dir }: DockerRegistryOptions, port: number): object {
  const token = {
    realm: `https://${loginServer}/oauth2/token`,
    service: loginServer,
    issuer: tokenIssuer,
    rootcertbundle: azure.caFile,
  };
  return {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: dir }, maintenance: { uploadpurging: { enabled: false } } },
    http: { addr: `127.0.0.1:${port}`, secret: randomUUID() },
    auth: { token },
  };
}

async function answering(port: number): Promise<void> {
  for (const end = Date.now() + 15_000; ; await sleep(50)) {
    try {
      await send(port, { method: 'GET', path: '/v2/' });
      return;
    } catch (thrown) {
      if (Date.now() > end) {
        throw thrown;
      }
    }
  }
}

function storedBlob(dir: string, digest: string): Buffer | undefined {
  const [, hex = ''] = digest.split(':');
  const path = join(dir, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** The hop-by-hop headers, which a proxy does not forward (RFC 9110, section 7.6.1). */
const ofConnection = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'te',
  'upgrade',
  'proxy-authorization',
];

async function forward(port: number, { method, url, host, headers, body }: Incoming): Promise<Reply> {
  const path = `${url.pathname}${url.search}`;
  const own = { host, 'x-forwarded-proto': 'https', 'content-length': `${Buffer.byteLength(body)}` };
  const reply = await send(port, { method, path, headers: { ...passed(headers), ...own }, body });
  return { ...reply, headers: passed(reply.headers) };
}

function passed(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofConnection.includes(name)));
}

function pushClaims(loginServer: string, name: string) {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: tokenIssuer,
    sub: 'push.lab',
    aud: loginServer,
    iat: now,
    nbf: now,
    exp: now + 300,
    jti: randomUUID(),
    access: [{ type: 'repository', name, actions: ['pull', 'push'] }],
  };
}

interface Target {
  readonly port: number;
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Pushes a blob in one piece ("Pushing a blob monolithically" in the OCI distribution specification). */
async function pushBlob({ port, name, headers }: Target, { digest, content }: Blob): Promise<void> {
  const begun = await send(port, { method: 'POST', path: `/v2/${name}/blobs/uploads/`, headers });
  const location = new URL(begun.headers.location ?? '/', 'http://localhost');
  location.searchParams.set('digest', digest);
  const path = `${location.pathname}${location.search}`;
  created(await send(port, { method: 'PUT', path, headers, body: content }), digest);
}

async function pushManifest({ port, name, headers }: Target, reference: string, manifest: Blob) {
  const path = `/v2/${name}/manifests/${reference}`;
  const typed = { ...headers, 'content-type': manifest.mediaType };
  created(await send(port, { method: 'PUT', path, headers: typed, body: manifest.content }), reference);
}

function created({ status, body }: Answer, what: string): void {
  if (status !== 201) {
    throw new Error(`docker-registry answers ${status} to the push of ${what}: ${body}`);
  }
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

function send(port: number, { method, path, headers = {}, body = '' }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      const { statusCode: status = 0, headers } = response;
      const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `${value}`]));
      buffer(response).then((content) => resolve({ status, headers: flat, body: content }), reject);
    });
    outgoing.once('error', reject).end(body);
  });
}
