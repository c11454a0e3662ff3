/**
 * Emulates Azure container registries, distinguished by host name: issues tokens (registry-tokens.ts), answers metadata
 * requests (registry-metadata.ts), and serves pulls, with a 307 to blob storage for each blob (blob-storage.ts).
 *
 * Models the OCI distribution specification 1.0, "Pull", and the challenges of docs/AAD-OAuth.md
 * (github.com/Azure/acr). Refuses pushes, because no role that permits them is modelled. Answers a HEAD request for a
 * blob with 307 too, as distribution does.
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

/** A real registry that an emulated registry forwards requests to. The real registry checks access tokens itself. */
export interface Upstream {
  /** Answers any request below /v2/, including requests for blobs. */
  forward(request: Incoming): Promise<Reply>;
  /** Returns the blob with this digest from the real registry; `undefined` if the blob is missing. */
  blob(digest: string): Buffer | undefined;
}

/** An emulated registry. A test may change the writable fields while the server runs. */
export class Registry {
  readonly loginServer: string;
  /** The faults of the server that serves all registries. */
  readonly faults: Faults;
  readonly storage: BlobStorage;
  readonly content = new RegistryContent();
  upstream: Upstream | undefined;
  /** The lifetime of a refresh token, in milliseconds. */
  tokenLifetime = 3 * 3_600_000;
  /** The permission model; with ABAC, AcrPull and similar roles are ignored. */
  mode: 'rbac' | 'abac' = 'rbac';
  /** The step that refuses an identity without a role. */
  roleCheckedAt: 'exchange' | 'token' | 'manifest' = 'exchange';
  /** True if the registry refuses every client, as its firewall can. */
  closed = false;
  audience = registryAudience;
  /** The issued refresh tokens, oldest first. */
  readonly issued: string[] = [];
  /** The issued access tokens, oldest first. */
  readonly accessTokens: string[] = [];
  /** The object ID of the identity that received each refresh token, by the token's `jti`. */
  readonly holders = new Map<string, string>();

  constructor(loginServer: string, faults: Faults, storage: (registry: Registry) => BlobStorage) {
    this.loginServer = loginServer;
    this.faults = faults;
    this.storage = storage(this);
    this.push('hello/world', '1');
  }

  /** Adds a small image to the repository `name` under a tag, and returns the image. */
  push(name: string, tag: string) {
    return this.content.push(name, tag);
  }

  blob(digest: string): Buffer | undefined {
    return this.upstream ? this.upstream.blob(digest) : this.content.blob(digest);
  }
}

/**
 * Answers a request for a token, a pull or metadata; any other request gets a 404. If the registry is closed, every
 * request gets a 403.
 */
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
 * Answers GET /v2/ with 200 if the request has a valid access token, or a valid refresh token as its Basic password, as
 * containerd sends it; otherwise with a challenge.
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

/**
 * True if a request has a bearer token that has expired or is otherwise invalid. The emulated registry refuses such a
 * request itself, because distribution's registry would accept a token for a minute after its expiry, which Azure is
 * not known to do.
 */
function isStale(request: Incoming, context: Context): boolean {
  return bearer(request) !== '' && !validClaims(bearer(request), 'access_token', context);
}

/** Returns the refusal of a request; `undefined` if the request has an access token that permits the action. */
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
