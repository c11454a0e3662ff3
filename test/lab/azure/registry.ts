/**
 * Emulated Azure container registries, distinguished by host name: tokens (registry-tokens.ts), Azure's metadata
 * (registry-metadata.ts), and pulls, with a 307 to blob storage for each blob (blob-storage.ts).
 *
 * Models the OCI distribution specification 1.0, "Pull", and the challenges of docs/AAD-OAuth.md
 * (github.com/Azure/acr). Pushes are refused: no role for them is modelled. A HEAD of a blob is a 307 too, as
 * distribution has it.
 */
import type { BlobStorage } from './blob-storage.ts';
import type { Faults, Incoming, Reply } from './loopback.ts';
import { RegistryContent } from './registry-content.ts';
import { challenged, failed } from './registry-errors.ts';
import { metadata, parseMetadataPath } from './registry-metadata.ts';
import {
  accessToken,
  basicPassword,
  type Context,
  exchange,
  permits,
  validClaims,
} from './registry-tokens.ts';

export const registryAudience = 'https://containerregistry.azure.net';

/** A real registry behind an emulated one, which checks access tokens itself. */
export interface Upstream {
  /** Answers any request below /v2/, also for blobs. */
  forward(request: Incoming): Promise<Reply>;
  /** A blob from the content of the registry. */
  blob(digest: string): Buffer | undefined;
}

/** A registry; its fields may be changed while the server runs. */
export class Registry {
  readonly loginServer: string;
  /** The log of the one server for all registries. */
  readonly faults: Faults;
  readonly storage: BlobStorage;
  readonly content = new RegistryContent();
  upstream: Upstream | undefined;
  /** The life of a refresh token, in milliseconds. */
  tokenLifetime = 3 * 3_600_000;
  /** With ABAC, AcrPull and similar roles are ignored. */
  mode: 'rbac' | 'abac' = 'rbac';
  /** The step that refuses an identity without a role. */
  roleCheckedAt: 'exchange' | 'token' | 'manifest' = 'exchange';
  /** Refuses every address, as the firewall of the registry does. */
  closed = false;
  audience = registryAudience;
  /** The issued refresh tokens, oldest first. */
  readonly issued: string[] = [];
  /** The issued access tokens, oldest first. */
  readonly accessTokens: string[] = [];
  /** The object id of the identity behind each refresh token, by `jti`. */
  readonly holders = new Map<string, string>();

  constructor(loginServer: string, faults: Faults, storage: (registry: Registry) => BlobStorage) {
    this.loginServer = loginServer;
    this.faults = faults;
    this.storage = storage(this);
    this.push('hello/world', '1');
  }

  /** Adds a small image. */
  push(name: string, tag: string) {
    return this.content.push(name, tag);
  }

  blob(digest: string): Buffer | undefined {
    return this.upstream ? this.upstream.blob(digest) : this.content.blob(digest);
  }
}

/** An answer of the registry. */
export function answerRegistry(request: Incoming, context: Context): Reply | Promise<Reply> {
  const { loginServer, closed } = context.registry;
  if (closed) {
    return failed(
      403,
      'DENIED',
      "client with IP '20.1.2.3' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.",
    );
  }
  const { pathname } = request.url;
  const endpoint = `${request.method} ${pathname}`;
  if (endpoint === 'POST /oauth2/exchange') {
    return exchange(request, context);
  }
  if (endpoint === 'POST /oauth2/token' || endpoint === 'GET /oauth2/token') {
    return accessToken(request, context);
  }
  if (endpoint === 'GET /v2/') {
    return ping(request, context);
  }
  const repository = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.*)$/.exec(pathname)?.[1];
  if (repository !== undefined) {
    return repositoryRequest(request, repository, context);
  }
  const asked = parseMetadataPath(pathname);
  if (asked && request.method === 'GET') {
    const refusal = refusalOf(request, asked.name, 'metadata_read', context);
    return refusal ?? metadata(request, asked, context.registry);
  }
  return failed(404, 'NOT_FOUND', `${endpoint} is not known at ${loginServer}`);
}

/**
 * Accepts a bearer access token, and the basic credentials that containerd sends, which the token endpoint would check.
 */
function ping(request: Incoming, context: Context): Reply {
  const basic = validClaims(basicPassword(request) ?? '', 'refresh_token', context);
  if (basic || validClaims(bearer(request), 'access_token', context)) {
    return { status: 200, body: {} };
  }
  return challenged({ loginServer: context.registry.loginServer });
}

async function repositoryRequest(request: Incoming, name: string, context: Context): Promise<Reply> {
  const { registry } = context;
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const [, digest] = /\/blobs\/(sha256:[0-9a-f]{64})$/.exec(request.url.pathname) ?? [];
  if (registry.upstream && !isStale(request, context)) {
    const reply = await registry.upstream.forward(request);
    return digest && isRead && reply.status === 200 ? redirected(registry, digest) : reply;
  }
  const refusal = refusalOf(request, name, isRead ? 'pull' : 'push', context);
  if (refusal) {
    return refusal;
  }
  if (!registry.content.has(name)) {
    return failed(404, 'NAME_UNKNOWN', `repository ${name} is not found`);
  }
  if (!digest) {
    return manifest(registry, name, request.url.pathname.replace(/^.*\/manifests\//, ''));
  }
  if (registry.content.blob(digest)) {
    return redirected(registry, digest);
  }
  return failed(404, 'BLOB_UNKNOWN', 'blob unknown to registry', digest);
}

/** A real registry accepts a token for a minute after its end; Azure is not known to do so. */
function isStale(request: Incoming, context: Context): boolean {
  return bearer(request) !== '' && !validClaims(bearer(request), 'access_token', context);
}

/** Accepts only a bearer access token here, and only within its scope. */
function refusalOf(request: Incoming, name: string, action: string, context: Context): Reply | undefined {
  const { loginServer, roleCheckedAt } = context.registry;
  const claims = validClaims(bearer(request), 'access_token', context);
  if (claims && permits(claims, name, action)) {
    return undefined;
  }
  if (claims && action === 'pull' && roleCheckedAt === 'manifest') {
    return failed(403, 'DENIED', 'requested access to the resource is denied');
  }
  const scope = `repository:${name}:${action === 'push' ? 'pull,push' : action}`;
  if (claims) {
    return challenged({ loginServer, scope, error: 'insufficient_scope' });
  }
  return challenged({ loginServer, scope, ...(bearer(request) && { error: 'invalid_token' }) });
}

function manifest({ content }: Registry, name: string, reference: string): Reply {
  const found = content.manifest(name, reference);
  if (!found) {
    return failed(404, 'MANIFEST_UNKNOWN', `manifest tagged by "${reference}" is not found`);
  }
  const { mediaType, digest } = found;
  const headers = {
    'content-type': mediaType,
    'docker-content-digest': digest,
    'docker-distribution-api-version': 'registry/2.0',
    etag: `"${digest}"`,
  };
  return { status: 200, headers, body: found.content };
}

function redirected({ storage }: Registry, digest: string): Reply {
  const headers = { location: storage.signedUrl(digest), 'docker-content-digest': digest };
  return { status: 307, headers, body: '' };
}

function bearer({ headers }: Incoming): string {
  const [scheme, token = ''] = (headers.authorization ?? '').split(' ');
  return scheme === 'Bearer' ? token : '';
}
