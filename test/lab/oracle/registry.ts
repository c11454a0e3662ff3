/**
 * Emulated login servers of Oracle's registry, distinguished by host name: tokens and pulls.
 *
 * Models oracle-devrel/oke-credential-provider-for-ocir (a signed GET of /20180419/docker/token; user BEARER_TOKEN),
 * the challenge that docker-credential-ocir reads, and the OCI distribution specification 1.0, "Pull". Refuses pushes,
 * because no permission to push is modelled.
 *
 * Assumptions: a principal that may not read repositories gets no token; an access token is valid for as long as a
 * login; layers are served without a redirect.
 */
import { randomUUID } from 'node:crypto';
import type { Signer } from '../azure/jwt.ts';
import type { Faults, Incoming, Reply } from '../azure/loopback.ts';
import { RegistryContent } from '../azure/registry-content.ts';
import { failed } from '../azure/registry-errors.ts';
import type { Caller } from './federation.ts';
import { notAuthenticated } from './signatures.ts';

export const readRepos = 'read repos';

export class OracleRegistry {
  readonly loginServer: string;
  readonly faults: Faults;
  readonly content = new RegistryContent();
  /** The lifetime of a login and of an access token, in milliseconds. */
  tokenLifetime = 3_600_000;
  /** The issued logins and access tokens, oldest first. */
  readonly issued: string[] = [];

  constructor(loginServer: string, faults: Faults) {
    this.loginServer = loginServer;
    this.faults = faults;
    this.content.push('labspace/hello/world', '1');
  }
}

export interface RegistryContext {
  readonly registry: OracleRegistry;
  readonly signer: Signer;
  readonly caller: (request: Incoming) => Caller | undefined;
  readonly now: number;
}

const tokenPath = '/20180419/docker/token';

export function answerOracleRegistry(request: Incoming, context: RegistryContext): Reply {
  const { method, url } = request;
  if (method === 'GET' && url.pathname === tokenPath) {
    const isBasic = request.headers.authorization?.startsWith('Basic ') === true;
    return isBasic ? accessToken(request, context) : login(request, context);
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return failed(405, 'UNSUPPORTED', 'the operation is unsupported');
  }
  if (claimsOf(bearer(request), 'access', context) === undefined) {
    return challenged(context.registry);
  }
  return url.pathname === '/v2/' ? { status: 200, body: {} } : content(url.pathname, context.registry);
}

function login(request: Incoming, context: RegistryContext): Reply {
  const caller = context.caller(request);
  if (!caller?.permissions.includes(readRepos)) {
    return notAuthenticated(context.now);
  }
  const token = issueToken('login', caller.instance, context);
  const expires_in = Math.floor(context.registry.tokenLifetime / 1000);
  return { status: 200, body: { token, access_token: token, scope: '', expires_in } };
}

function accessToken({ headers }: Incoming, context: RegistryContext): Reply {
  const decoded = Buffer.from(headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString();
  const [user, password = ''] = decoded.split(/:(.*)/s);
  const claims = user === 'BEARER_TOKEN' ? claimsOf(password, 'login', context) : undefined;
  if (!claims) {
    return failed(401, 'UNAUTHORIZED', 'Invalid username or password.');
  }
  return { status: 200, body: { token: issueToken('access', String(claims.sub), context) } };
}

function issueToken(use: 'login' | 'access', instance: string, context: RegistryContext): string {
  const { registry, signer, now } = context;
  const issuedAt = Math.floor(now / 1000);
  const exp = issuedAt + Math.floor(registry.tokenLifetime / 1000);
  const claims = { sub: instance, aud: registry.loginServer, use, jti: randomUUID(), iat: issuedAt, exp };
  const token = signer.sign(claims);
  registry.issued.push(token);
  return token;
}

function claimsOf(token: string, use: 'login' | 'access', { registry, signer, now }: RegistryContext) {
  const claims = signer.verify(token);
  const isOurs = claims?.aud === registry.loginServer && claims.use === use;
  return isOurs && Number(claims.exp) * 1000 > now ? claims : undefined;
}

function bearer({ headers }: Incoming): string {
  return /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
}

function challenged({ loginServer }: OracleRegistry): Reply {
  const challenge = `Bearer realm="https://${loginServer}${tokenPath}",service="${loginServer}",scope=""`;
  const refusal = failed(401, 'UNAUTHORIZED', 'authentication required');
  return { ...refusal, headers: { 'www-authenticate': challenge } };
}

function content(pathname: string, { content }: OracleRegistry): Reply {
  const [, name = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(pathname) ?? [];
  if (kind === 'blobs') {
    const body = content.blob(reference);
    return body ? { status: 200, body } : failed(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  }
  const found = content.manifest(name, reference);
  return found
    ? {
        status: 200,
        headers: { 'content-type': found.mediaType, 'docker-content-digest': found.digest },
        body: found.content,
      }
    : failed(404, 'MANIFEST_UNKNOWN', `manifest ${reference} of ${name} is unknown`);
}
