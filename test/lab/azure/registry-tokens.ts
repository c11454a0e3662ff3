/**
 * Issues the tokens of an emulated registry: a refresh token in exchange for an Entra token, and an access token in
 * exchange for a refresh token.
 *
 * Models "AAD-OAuth" (github.com/Azure/acr, docs/AAD-OAuth.md: endpoints, form fields, claims of both tokens, 75
 * minutes for the access token), "Authentication options for Azure Container Registry" (azure-docs: refresh tokens are
 * valid for three hours), and what clients do with them: skopeo GETs /oauth2/token with the refresh token as a Basic
 * password; containerd first POSTs grant_type=password, gets a 400 (Azure/acr #104), and then GETs as skopeo does.
 *
 * Assumptions, because the documents do not say: an identity without a role is refused at the exchange (`roleCheckedAt`
 * moves the check; Azure/AKS #4593 shows the 401 at the token endpoint); any refresh token gets an access token without
 * a scope, because docker login requests such a token; an access token does not outlive its refresh token; both pull
 * roles permit reading metadata; an access token has the signer's certificate in `x5c` instead of Azure's `kid`, so
 * that distribution's registry can verify the token.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Entra, Role } from './entra.ts';
import type { Claims, Signer } from './jwt.ts';
import type { Incoming, Reply } from './loopback.ts';
import type { Registry } from './registry.ts';
import { failed, unauthorized } from './registry-errors.ts';

export const registryUser = '00000000-0000-0000-0000-000000000000';
export const tokenIssuer = 'Azure Container Registry';

export interface Context {
  readonly registry: Registry;
  readonly entra: Entra;
  readonly signer: Signer;
  readonly now: () => number;
}

/** A parsed scope such as `repository:hello/world:pull,push`. */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const accessLifetime = 75 * 60;

export function exchange(request: Incoming, context: Context): Reply {
  const { registry, entra } = context;
  const form = formOf(request);
  if (!form || form.get('service') !== registry.loginServer || form.get('grant_type') !== 'access_token') {
    return failed(
      400,
      'BAD_REQUEST',
      'invalid form: grant_type=access_token and service=REGISTRY are needed',
    );
  }
  const caller = entra.verify(form.get('access_token') ?? '', registry.audience);
  if (!caller.valid) {
    return failed(401, 'UNAUTHORIZED', 'token validation failed');
  }
  if (registry.roleCheckedAt === 'exchange' && !mayPull(caller.objectId, context)) {
    return unauthorized;
  }
  return { status: 200, body: { refresh_token: refreshToken(caller, context) } };
}

function refreshToken(caller: { objectId: string; clientId: string }, { registry, ...context }: Context) {
  const jti = randomUUID();
  const issuedAt = Math.floor(context.now() / 1000);
  const token = context.signer.sign({
    ...common(registry, caller.clientId, issuedAt),
    jti,
    exp: issuedAt + Math.floor(registry.tokenLifetime / 1000),
    grant_type: 'refresh_token',
    tenant: context.entra.tenant,
    permissions: { actions: ['read'], notActions: null },
  });
  registry.holders.set(jti, caller.objectId);
  registry.issued.push(token);
  return token;
}

/**
 * Answers a request for an access token. A POST sends the refresh token in a form, a GET as a Basic password. An
 * incomplete request gets a 400, an invalid refresh token a 401. An identity without a role gets a 401, or a token
 * without permissions if the request has no scope (as in docker login) or the registry checks roles only at the
 * manifest.
 */
export function accessToken(request: Incoming, context: Context): Reply {
  const { registry } = context;
  const isPost = request.method === 'POST';
  const fields = isPost ? formOf(request) : request.url.searchParams;
  const scopes = fields?.getAll('scope').flatMap((scope) => scope.split(' ')) ?? [];
  const isComplete = !isPost || (fields?.get('grant_type') === 'refresh_token' && scopes.length > 0);
  if (!isComplete || fields?.get('service') !== registry.loginServer) {
    return failed(400, 'BAD_REQUEST', 'invalid form: grant_type=refresh_token, service and scope are needed');
  }
  const presented = isPost ? fields.get('refresh_token') : basicPassword(request);
  const refresh = validClaims(presented ?? '', 'refresh_token', context);
  if (!refresh) {
    return unauthorized;
  }
  const allowed = mayPull(registry.holders.get(String(refresh.jti)) ?? '', context);
  if (!allowed && scopes.length > 0 && registry.roleCheckedAt !== 'manifest') {
    return unauthorized;
  }
  const access = scopes.map(parseScope).map((each) => granted(each, allowed));
  return { status: 200, body: { access_token: signedAccess(refresh, access, context) } };
}

function signedAccess(refresh: Claims, access: readonly Access[], { registry, signer, now }: Context) {
  const issuedAt = Math.floor(now() / 1000);
  const token = signer.signWithCertificate({
    ...common(registry, String(refresh.appid), issuedAt),
    jti: randomUUID(),
    exp: Math.min(issuedAt + accessLifetime, Number(refresh.exp)),
    grant_type: 'access_token',
    access,
  });
  registry.accessTokens.push(token);
  return token;
}

/** Returns the claims of an unexpired token of this type from this registry; `undefined` for any other token. */
export function validClaims(
  token: string,
  grantType: 'refresh_token' | 'access_token',
  { registry, signer, now }: Pick<Context, 'registry' | 'signer' | 'now'>,
): Claims | undefined {
  const claims = signer.verify(token);
  const isFresh = Number(claims?.exp) * 1000 > now();
  const isOurs = claims?.aud === registry.loginServer && claims.grant_type === grantType;
  return isOurs && isFresh ? claims : undefined;
}

/** True if the claims of an access token permit this action on the repository `name`. */
export function permits(claims: Claims, name: string, action: string): boolean {
  const access = Array.isArray(claims.access) ? claims.access : [];
  return access.some(
    (each: Access) => each.type === 'repository' && each.name === name && each.actions.includes(action),
  );
}

/**
 * Returns the Basic password of a request if the user name is `registryUser`, which marks the password as a token;
 * otherwise `undefined`.
 */
export function basicPassword({ headers }: Incoming): string | undefined {
  const [scheme, value = ''] = (headers.authorization ?? '').split(' ');
  const [user, password] = Buffer.from(value, 'base64').toString('utf8').split(/:(.*)/s);
  return scheme === 'Basic' && user === registryUser ? password : undefined;
}

function mayPull(objectId: string, { registry, entra }: Context): boolean {
  const role: Role = registry.mode === 'rbac' ? 'AcrPull' : 'Container Registry Repository Reader';
  return entra.allows(objectId, role, registry.loginServer);
}

function parseScope(scope: string): Access {
  const [, type = '', name = '', actions = ''] = /^(\w+):(.*):([^:]*)$/.exec(scope) ?? [];
  return { type, name, actions: actions.split(',') };
}

function granted({ type, name, actions }: Access, allowed: boolean): Access {
  const readable = ['pull', 'metadata_read'];
  const isGranted = (action: string) => allowed && type === 'repository' && readable.includes(action);
  return { type, name, actions: actions.filter(isGranted) };
}

function common({ loginServer }: Registry, clientId: string, issuedAt: number) {
  return {
    sub: clientId,
    appid: clientId,
    iat: issuedAt,
    nbf: issuedAt,
    iss: tokenIssuer,
    aud: loginServer,
    version: '1.0',
    rid: createHash('md5').update(loginServer).digest('hex'),
    roles: [],
  };
}

function formOf(request: Incoming): URLSearchParams | undefined {
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return isForm ? new URLSearchParams(request.body) : undefined;
}
