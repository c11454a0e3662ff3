import * as z from 'zod/mini';
import { quoted, refusalOf } from '../../../clouds/answers.ts';
import type { CloudHints } from '../../../clouds/driver.ts';
import { isFirewallRefusal, isSameRegistry } from '../../../clouds/registries.ts';
import { registryTrouble, registryUnreachable } from '../../../clouds/registry-errors.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HttpResponse } from '../../../engine/host.ts';
import { parseJson } from '../../../engine/json.ts';
import { Secret } from '../../../engine/secret.ts';
import { credentialRefused, foreignRealm, pullDenied, unexpected } from '../proof/pull-errors.ts';
import type { Login } from '../registries-yaml.ts';

/** A registry, and the login to send if the registry requires one. */
export interface RegistrySession {
  readonly host: Host;
  /** The login server. */
  readonly server: string;
  readonly login: Login;
  /** What a person can do after a refusal, in the terms of the cloud. */
  readonly hints: CloudHints;
  /** The Authorization header for the session; absent if the registry requires none. */
  readonly authorization?: Secret;
}

type Headers = Readonly<Record<string, string>>;

/**
 * Sends a request as a container runtime does: without a credential, and again with the authorization that the
 * challenge requires. Only the registry itself gets the login. Returns the response, with any status, and the session
 * for the next request.
 *
 * Throws `PullCredentialRefused`, `PullDenied`, `RegistryForbidden`, `RegistryNotFound`, `RegistryUnavailable`,
 * `Throttled`, `TlsUntrusted` or `UnexpectedAnswer`. Source: distribution, docs/spec/auth/token.md.
 */
export async function openSession(
  session: RegistrySession,
  path: string,
  headers: Headers = {},
): Promise<{ readonly response: HttpResponse; readonly session: RegistrySession }> {
  const first = await ask(session, path, headers);
  if (first.status !== 401) {
    return { response: first, session };
  }
  const opened = { ...session, authorization: await answerTo(first, session) };
  const response = await ask(opened, path, headers);
  if (response.status === 401 && opened.authorization.reveal().startsWith('Basic ')) {
    throw credentialRefused(session, quoted(refusalOf(response).message));
  }
  return { response, session: opened };
}

/**
 * Logs in as `docker login` does. Returns false if the registry requires no login. Throws the errors of `openSession`.
 */
export async function logIn(opening: RegistrySession): Promise<boolean> {
  const { response, session } = await openSession(opening, '/v2/');
  const { status } = response;
  if (status === 401 || status === 403) {
    throw credentialRefused(session, quoted(refusalOf(response).message));
  }
  if (status !== 200) {
    throw unexpected(session.server, `answers ${status} at /v2/`);
  }
  return session.authorization !== undefined;
}

/**
 * Sends a GET request to the login server, with the authorization of the session, if any. Throws the error that
 * `registryTrouble` finds, unless the response means that the credential lacks a permission.
 */
export async function ask(session: RegistrySession, path: string, headers: Headers): Promise<HttpResponse> {
  const { server, authorization } = session;
  const url = `https://${server}${path}`;
  const response = await get(session, url, { ...headers, ...(authorization && { authorization }) });
  const trouble = registryTrouble(response, session, session.host.now());
  if (trouble && !isAboutPermission(response, session)) {
    throw trouble;
  }
  return response;
}

/**
 * True if a 403 is about the permissions of the credential: the request had a credential, and the firewall, whose rules
 * may have just changed, did not send the 403.
 */
function isAboutPermission(response: HttpResponse, { authorization }: RegistrySession): boolean {
  return (
    response.status === 403 && authorization !== undefined && !isFirewallRefusal(refusalOf(response).message)
  );
}

async function get(
  session: RegistrySession,
  url: string,
  headers: Readonly<Record<string, string | Secret>>,
): Promise<HttpResponse> {
  try {
    return await session.host.send({ method: 'GET', url, headers });
  } catch (thrown) {
    throw thrown instanceof NodeError ? registryUnreachable(thrown, session) : thrown;
  }
}

async function answerTo({ headers }: HttpResponse, session: RegistrySession): Promise<Secret> {
  const challenge = headers['www-authenticate'] ?? '';
  const [, parameters] = /\bBearer\s+(.*)/i.exec(challenge) ?? [];
  if (parameters !== undefined) {
    return bearer(parameters, session);
  }
  if (/\bBasic\b/i.test(challenge)) {
    return basic(session);
  }
  throw unexpected(session.server, 'asks for a login without saying which kind it takes');
}

/** Returns the header for basic authentication (RFC 7617). */
function basic({ login: { username, password } }: RegistrySession): Secret {
  return new Secret(`Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`);
}

/**
 * Requests a token and returns the Authorization header with it. If the request is refused, a second request without a
 * scope shows whether the login (`PullCredentialRefused`) or the scope (`PullDenied`) was refused.
 */
async function bearer(parameters: string, session: RegistrySession): Promise<Secret> {
  const { realm = '', scope, ...others } = namesIn(parameters);
  const response = await requestToken(session, realm, { ...others, scope });
  if (response.status === 200) {
    return tokenIn(response, session);
  }
  const says = quoted(refusalOf(response).message);
  if (response.status !== 401 && response.status !== 403) {
    throw unexpected(session.server, `answers a request for a token with status ${response.status}.${says}`);
  }
  const withoutScope = scope === undefined ? response : await requestToken(session, realm, others);
  if (withoutScope.status === 200) {
    throw pullDenied(session, scope ?? '', says);
  }
  throw credentialRefused(session, says);
}

interface Challenge {
  readonly realm?: string | undefined;
  readonly service?: string | undefined;
  readonly scope?: string | undefined;
}

function namesIn(parameters: string): Challenge {
  const value = (name: string) => new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(parameters)?.[1];
  return { realm: value('realm'), service: value('service'), scope: value('scope') };
}

async function requestToken(
  session: RegistrySession,
  realm: string,
  query: Omit<Challenge, 'realm'>,
): Promise<HttpResponse> {
  const { server, host } = session;
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url?.protocol !== 'https:' || !isSameRegistry(url.host, server)) {
    throw foreignRealm(server, url?.host ?? realm);
  }
  for (const [name, value] of Object.entries(query)) {
    if (value) {
      url.searchParams.set(name, value);
    }
  }
  const response = await get(session, url.href, { authorization: basic(session) });
  const trouble = response.status === 403 ? undefined : registryTrouble(response, session, host.now());
  if (trouble) {
    throw trouble;
  }
  return response;
}

function tokenIn({ body }: HttpResponse, { server }: RegistrySession): Secret {
  const { access_token, token = access_token } = parseJson(tokenAnswer, body) ?? {};
  if (token) {
    return new Secret(`Bearer ${token}`);
  }
  throw unexpected(server, 'answers a request for a token with something else');
}

const text = z.catch(z.optional(z.string()), undefined);
const tokenAnswer = z.object({ token: text, access_token: text });
