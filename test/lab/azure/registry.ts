/**
 * Emulated Azure container registries, told apart by host name: the /v2/ challenge, the exchange of an Entra token
 * for a refresh token, and access tokens for pulls.
 *
 * Models "AAD-OAuth" (github.com/Azure/acr, docs/AAD-OAuth.md: endpoints, form fields, JWT claims; the exchange
 * answers POST only, anything else 404) and "Authentication options for Azure Container Registry" (azure-docs:
 * refresh tokens live three hours). That an identity without any role on the registry is refused at the exchange
 * already is an assumption; the documents say nothing.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Entra, Role } from './entra.ts';
import { Signer } from './jwt.ts';
import { Faults, type Incoming, type LoggedRequest, type Reply, startLoopback } from './loopback.ts';
import type { ServerCertificate } from './tls.ts';

export const registryAudience = 'https://containerregistry.azure.net';

/** A registry; its fields may be changed while the server runs. */
export class Registry {
  readonly loginServer: string;
  /** Of the one server that answers for all of them. */
  readonly faults: Faults;
  /** Milliseconds a refresh token lives. */
  tokenLifetime = 3 * 3_600_000;
  /** With ABAC, AcrPull and its like are not honoured. */
  mode: 'rbac' | 'abac' = 'rbac';
  /** Refuses every address, as the registry's firewall does. */
  closed = false;
  audience = registryAudience;
  /** The refresh tokens handed out, oldest first. */
  readonly issued: string[] = [];

  constructor(loginServer: string, faults: Faults) {
    this.loginServer = loginServer;
    this.faults = faults;
  }
}

export interface RegistriesOptions {
  readonly entra: Entra;
  readonly log: LoggedRequest[];
  readonly now: () => number;
  readonly tls: ServerCertificate;
  readonly loginServers: readonly string[];
}

interface Context {
  readonly registry: Registry;
  readonly entra: Entra;
  readonly signer: Signer;
  readonly now: () => number;
}

export async function startRegistries({ entra, log, now, tls, loginServers }: RegistriesOptions) {
  const faults = new Faults();
  const signer = new Signer();
  const registries = loginServers.map((loginServer) => new Registry(loginServer, faults));
  const answer = (request: Incoming) => {
    const registry = registries.find((each) => each.loginServer === request.host);
    return registry ? route(request, { registry, entra, signer, now }) : { status: 404, body: '' };
  };
  const server = await startLoopback({ name: 'registry', log, faults, tls, answer });
  return { server, registries };
}

function route(request: Incoming, context: Context): Reply {
  const { loginServer, closed } = context.registry;
  if (closed)
    return failed(
      403,
      'DENIED',
      "client with IP '20.1.2.3' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.",
    );
  const endpoint = `${request.method} ${request.url.pathname}`;
  if (endpoint === 'POST /oauth2/exchange') return exchange(request, context);
  if (endpoint === 'POST /oauth2/token') return accessToken(request, context);
  if (endpoint === 'GET /v2/') return ping(request, context);
  return failed(404, 'NOT_FOUND', `${endpoint} is not known at ${loginServer}`);
}

function exchange(request: Incoming, { registry, entra, signer, now }: Context): Reply {
  const form = formOf(request);
  if (!form || form.get('service') !== registry.loginServer || form.get('grant_type') !== 'access_token')
    return failed(
      400,
      'BAD_REQUEST',
      'invalid form: grant_type=access_token and service=REGISTRY are needed',
    );
  const caller = entra.verify(form.get('access_token') ?? '', registry.audience);
  if (!caller.valid) return failed(401, 'UNAUTHORIZED', 'token validation failed');
  const role = rolesOf(registry).find((each) => entra.allows(caller.objectId, each, registry.loginServer));
  if (!role) return unauthorized;
  const token = refreshToken({ registry, entra, signer, now }, caller);
  registry.issued.push(token);
  return { status: 200, body: { refresh_token: token } };
}

function refreshToken(
  { registry, entra, signer, now }: Context,
  caller: { objectId: string; clientId: string },
) {
  const issuedAt = Math.floor(now() / 1000);
  return signer.sign({
    jti: randomUUID(),
    sub: caller.clientId,
    nbf: issuedAt,
    exp: issuedAt + Math.floor(registry.tokenLifetime / 1000),
    iat: issuedAt,
    iss: 'Azure Container Registry',
    aud: registry.loginServer,
    version: '1.0',
    rid: createHash('md5').update(registry.loginServer).digest('hex'),
    grant_type: 'refresh_token',
    appid: caller.clientId,
    tenant: entra.tenant,
    permissions: { actions: ['read'], notActions: null },
    roles: [],
  });
}

function accessToken(request: Incoming, { registry, signer, now }: Context): Reply {
  const form = formOf(request);
  const scope = form?.get('scope');
  if (form?.get('grant_type') !== 'refresh_token' || form.get('service') !== registry.loginServer || !scope)
    return failed(400, 'BAD_REQUEST', 'invalid form: grant_type=refresh_token, service and scope are needed');
  if (!isValid(form.get('refresh_token') ?? '', 'refresh_token', { registry, signer, now }))
    return unauthorized;
  const issuedAt = Math.floor(now() / 1000);
  const claims = { iat: issuedAt, nbf: issuedAt, exp: issuedAt + 4500, aud: registry.loginServer, scope };
  return { status: 200, body: { access_token: signer.sign({ ...claims, grant_type: 'access_token' }) } };
}

/** Answers a bearer access token, and the basic credentials containerd sends, as the token endpoint would. */
function ping(request: Incoming, context: Context): Reply {
  const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ');
  const [user, password = ''] = Buffer.from(value, 'base64').toString('utf8').split(/:(.*)/s);
  const basic =
    scheme === 'Basic' &&
    user === '00000000-0000-0000-0000-000000000000' &&
    isValid(password, 'refresh_token', context);
  if (basic || (scheme === 'Bearer' && isValid(value, 'access_token', context)))
    return { status: 200, body: {} };
  const { loginServer } = context.registry;
  const challenge = `Bearer realm="https://${loginServer}/oauth2/token",service="${loginServer}"`;
  return {
    ...unauthorized,
    headers: { 'www-authenticate': challenge, 'docker-distribution-api-version': 'registry/2.0' },
  };
}

function isValid(
  token: string,
  grantType: 'refresh_token' | 'access_token',
  { registry, signer, now }: Pick<Context, 'registry' | 'signer' | 'now'>,
): boolean {
  const claims = signer.verify(token);
  const isFresh = Number(claims?.exp) * 1000 > now();
  return claims?.aud === registry.loginServer && claims.grant_type === grantType && isFresh;
}

function rolesOf({ mode }: Registry): readonly Role[] {
  return mode === 'rbac' ? ['AcrPull'] : ['Container Registry Repository Reader'];
}

function formOf(request: Incoming): URLSearchParams | undefined {
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return isForm ? new URLSearchParams(request.body) : undefined;
}

const unauthorized = failed(
  401,
  'UNAUTHORIZED',
  'authentication required, visit https://aka.ms/acr/authorization for more information.',
);

function failed(status: number, code: string, message: string): Reply {
  return { status, body: { errors: [{ code, message, detail: null }] } };
}
