/**
 * An in-memory registry, and the storage that serves its layers. Models the parts of the OCI Distribution Specification
 * and of distribution's token.md that a pull check uses: the challenge, the token and the pull.
 *
 * The registry is strict: a login's password must be an unexpired JWT or one of `passwords`, a token is valid only for
 * its scope, and a request to the storage must not contain a credential.
 */
import { createHash } from 'node:crypto';
import { readJwt } from '../../src/agent/clouds/jwt.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { HttpResponse, HttpSend } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import type { MemoryHost } from './memory-host.ts';

type Answer = Partial<HttpResponse>;

export const storage = 'eu1.blob.core.windows.net';

export class MemoryRegistry {
  readonly server: string;
  /** True if the registry accepts valid logins, but issues no token that permits a pull. */
  denied = false;
  /** True if the registry refuses every login, even an unexpired one. */
  refuses = false;
  /** Passwords that the registry accepts although they are not JWTs. */
  readonly passwords = new Set<string>();
  /** True if the registry refuses this machine's address, as a registry's firewall does. */
  closed = false;
  /** How the storage reacts to a request for a layer. */
  storage: 'sends' | 'refuses' | 'is away' = 'sends';
  /** The number of requests for a layer that the storage has answered with content. */
  pulls = 0;
  readonly #now: () => number;
  readonly #documents = new Map<string, string>();
  readonly #sizes = new Map<string, number>();
  #tokens = 0;

  constructor(server: string, now: () => number) {
    this.server = server;
    this.#now = now;
  }

  /** Adds an image with one layer of this size; returns the digest of its manifest. */
  push(repository: string, tag: string, size: number): string {
    const digest = digestOf(`${repository} ${size}`);
    this.#sizes.set(digest, size);
    const manifest = JSON.stringify({ schemaVersion: 2, layers: [{ digest, size }] });
    for (const reference of [tag, digestOf(manifest)]) {
      this.#documents.set(`/v2/${repository}/manifests/${reference}`, manifest);
    }
    return digestOf(manifest);
  }

  answer({ url, headers = {} }: HttpSend): Answer {
    const { pathname, searchParams } = new URL(url);
    const [scheme, shown = ''] = reveal(headers.authorization ?? '').split(' ');
    if (this.closed) {
      return failed(
        403,
        'DENIED',
        "client with IP '10.0.0.5' is not allowed access. Refer https://aka.ms/acr/firewall",
      );
    }
    if (pathname === '/oauth2/token') {
      return this.#token(scheme, shown, searchParams.get('scope'));
    }
    const [, name] = /^\/v2\/(?:(.+)\/(?:manifests|blobs)\/.+)?$/.exec(pathname) ?? [];
    const scope = name === undefined ? '' : `repository:${name}:pull`;
    if (scheme !== 'Bearer' || shown.split('#')[0] !== scope) {
      return this.#challenge(scope);
    }
    if (name === undefined) {
      return {};
    }
    const digest = pathname.split('/').at(-1) ?? '';
    const isBlob = this.#sizes.has(digest) && pathname.includes('/blobs/');
    if (isBlob) {
      return { status: 307, headers: { location: `https://${storage}/${this.server}/${digest}?sig=canary` } };
    }
    const body = this.#documents.get(pathname);
    if (body === undefined) {
      return failed(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    }
    return { body, headers: { 'docker-content-digest': digestOf(body) } };
  }

  send({ url, headers = {} }: HttpSend): Answer | Error {
    if (headers.authorization !== undefined) {
      throw new Error('The storage was shown a credential.');
    }
    if (this.storage === 'is away') {
      return new NodeError('Unreachable', `Nothing answers at ${storage}.`);
    }
    if (this.storage === 'refuses') {
      return { status: 403, body: '<Error><Code>AuthorizationFailure' };
    }
    const size = this.#sizes.get(new URL(url).pathname.split('/').at(-1) ?? '') ?? 0;
    const wanted = Number(/^bytes=0-(\d+)$/.exec(reveal(headers.range ?? ''))?.[1]);
    this.pulls += 1;
    const last = Math.min(wanted, size - 1);
    return { status: 206, headers: { 'content-range': `bytes 0-${last}/${size}` }, body: '...' };
  }

  #token(scheme: string | undefined, shown: string, scope: string | null): Answer {
    const [, password = ''] = Buffer.from(shown, 'base64').toString().split(/:(.*)/s);
    const isKnown = this.passwords.has(password) || (readJwt(password)?.expiresAt ?? 0) > this.#now();
    const isGood = !this.refuses && isKnown;
    if (scheme !== 'Basic' || !isGood || (scope && this.denied)) {
      return unauthorized;
    }
    this.#tokens += 1;
    return { body: JSON.stringify({ access_token: `${scope ?? ''}#canary-${this.#tokens}` }) };
  }

  #challenge(scope: string): Answer {
    const fields = [`realm="https://${this.server}/oauth2/token"`, `service="${this.server}"`];
    const all = scope === '' ? fields : [...fields, `scope="${scope}"`];
    return { ...unauthorized, headers: { 'www-authenticate': `Bearer ${all.join(',')}` } };
  }
}

/**
 * Returns a new registry. The MemoryHost can reach the registry and its storage; `now` is the clock of the registry.
 */
export function memoryRegistry(host: MemoryHost, server: string, now = () => host.now()): MemoryRegistry {
  const registry = new MemoryRegistry(server, now);
  host.onGet(
    (url) => new URL(url).host === server,
    (request) => registry.answer(request),
  );
  host.onGet(
    (url) => url.startsWith(`https://${storage}/${server}/`),
    (request) => registry.send(request),
  );
  return registry;
}

const unauthorized = failed(401, 'UNAUTHORIZED', 'authentication required');

function failed(status: number, code: string, message: string): Answer {
  return { status, body: JSON.stringify({ errors: [{ code, message }] }) };
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
