import type { CloudHints } from '../../../clouds/driver.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader, HttpRequest } from '../../../engine/host.ts';
import type { Secret } from '../../../engine/secret.ts';
import { certificates } from './ca.ts';
import { basicAuth, bearerAuth, type Token } from './token.ts';

/** The cloud's name for a firewall, for the advice to check that none blocks the node from its server. */
type Hints = Pick<CloudHints, 'firewall'>;

/** The milliseconds within which the supervisor must answer a request. */
const timeout = 5_000;

/**
 * Fetches the CA certificates that a K3s server shows to any client (GET /cacerts, pkg/server/handlers/router.go). Does
 * not verify the certificate of the server.
 *
 * Throws `ServerUnreachable` if no K3s server answers at the address, and `ServerNotReady` while the server is
 * starting.
 */
export async function serverCa(host: HostReader, server: string, hints: Hints): Promise<string> {
  await requirePong(host, server, hints);
  return shownCa(host, server, hints);
}

/** Throws the errors of `serverCa` unless the server answers a ping as K3s does. */
export async function requirePong(host: HostReader, server: string, hints: Hints): Promise<void> {
  const ping = await askSupervisor(host, { url: `${server}/ping`, trust: 'anybody' }, hints);
  if (ping.status === 503) {
    throw serverNotReady(server);
  }
  if (ping.status !== 200 || ping.body.trim() !== 'pong') {
    const why = `${server}/ping answers ${ping.status} and not pong, so this is not a K3s server.`;
    throw serverUnreachable(server, why, hints);
  }
}

/** Fetches what `serverCa` returns, without a ping. Throws the errors of `serverCa`. */
export async function shownCa(host: HostReader, server: string, hints: Hints): Promise<string> {
  const { status, body } = await askSupervisor(host, { url: `${server}/cacerts`, trust: 'anybody' }, hints);
  if (status !== 200 || certificates(body).length === 0) {
    throw serverNotReady(server);
  }
  return body;
}

export interface TokenAnswer {
  /** The status of GET /v1-k3s/readyz. */
  readonly status: number;
  /** A remark about the server's certificate, to be appended to a sentence; may be empty. */
  readonly remark: string;
}

/**
 * Sends the node's token to the server, and verifies the server's certificate against `ca`. Returns the HTTP status,
 * which shows whether the server accepts the token. Throws `ServerUnreachable` if the server does not answer or its
 * certificate comes from another CA.
 *
 * K3s verifies the CA of its server, but not the name (seen on K3s 1.36 behind a load balancer). If the certificate
 * does not contain the server's name, this function only adds a remark, since kubectl does verify the name.
 */
export async function tokenStatus(
  host: HostReader,
  server: string,
  ca: string,
  token: Token,
  hints: Hints,
): Promise<TokenAnswer> {
  const authorization =
    token.kind === 'bootstrap' ? bearerAuth(token.credential) : basicAuth('node', token.credential);
  const request = { url: `${server}/v1-k3s/readyz`, headers: { authorization } };
  try {
    const { status } = await askSupervisor(host, { ...request, trust: { ca } }, hints);
    return { status, remark: '' };
  } catch (thrown) {
    if (!isUntrusted(thrown)) {
      throw thrown;
    }
    const { status } = await askSupervisor(host, { ...request, trust: { ca, anyName: true } }, hints);
    return { status, remark: nameMissing(server) };
  }
}

/**
 * Sends the token as that of a server, and verifies the server's certificate against `ca` but not its name. Returns the
 * HTTP status, which shows whether the server would let this server join (pkg/server/handlers/router.go: only the user
 * `server` may read the status of the encryption). Throws `ServerUnreachable` like `tokenStatus`.
 */
export async function serverTokenStatus(
  host: HostReader,
  server: string,
  ca: string,
  token: Token,
  hints: Hints,
): Promise<number> {
  const headers = { authorization: basicAuth('server', token.credential) };
  const url = `${server}/v1-k3s/encrypt/status`;
  const { status } = await askSupervisor(host, { url, headers, trust: { ca, anyName: true } }, hints);
  return status;
}

/**
 * Reads the settings that a server shares with other servers (GET /v1-k3s/config), with the token of a node, and
 * verifies the server's certificate against `ca` but not its name. Throws `UnexpectedAnswer` for a status other than
 * 200, and `ServerUnreachable` like `tokenStatus`.
 */
export async function sharedConfig(
  host: HostReader,
  server: string,
  ca: string,
  token: Token,
  hints: Hints,
): Promise<string> {
  return textOf(
    host,
    `${server}/v1-k3s/config`,
    { ca, authorization: basicAuth('node', token.credential) },
    hints,
  );
}

/**
 * Reads the members of etcd from a server (GET /db/info), with the token of a server, and verifies the server's
 * certificate against `ca` but not its name. Throws the errors of `sharedConfig`.
 */
export async function databaseInfo(
  host: HostReader,
  server: string,
  ca: string,
  token: Token,
  hints: Hints,
): Promise<string> {
  return textOf(
    host,
    `${server}/db/info`,
    { ca, authorization: basicAuth('server', token.credential) },
    hints,
  );
}

async function textOf(
  host: HostReader,
  url: string,
  { ca, authorization }: { readonly ca: string; readonly authorization: Secret },
  hints: Hints,
): Promise<string> {
  const request = { url, headers: { authorization }, trust: { ca, anyName: true } };
  const { status, body } = await askSupervisor(host, request, hints);
  if (status !== 200) {
    throw new NodeError('UnexpectedAnswer', `${url} answers ${status}; K3s answers 200.`);
  }
  return body;
}

function isUntrusted(thrown: unknown): boolean {
  const cause = thrown instanceof NodeError ? thrown.cause : undefined;
  return cause instanceof NodeError && cause.reason === 'TlsUntrusted';
}

function nameMissing(server: string): string {
  const { hostname } = new URL(server);
  return (
    `; its certificate does not name ${hostname}, which agents do not mind: for kubectl at that name, add it to ` +
    'tls-san in k3s.config of the server'
  );
}

export function serverNotReady(server: string): NodeError {
  return new NodeError('ServerNotReady', `The K3s server at ${server} is there and still starting.`, {
    retry: whileItStarts,
  });
}

/** Sends a request to a K3s server, past any proxy. Throws `ServerUnreachable` if the server does not answer. */
export async function askSupervisor(host: HostReader, request: HttpRequest, hints: Hints) {
  try {
    return await host.get({ timeout, direct: true, ...request });
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
    throw serverUnreachable(new URL(request.url).origin, thrown.message, hints, thrown);
  }
}

function serverUnreachable(server: string, why: string, { firewall }: Hints, cause?: unknown): NodeError {
  return new NodeError(
    'ServerUnreachable',
    `The K3s server at ${server} does not answer as one. ${why} Check that it runs, that the tag k3s-server or ` +
      `k3s.server names it, and that ${firewall} lets TCP 6443 pass.`,
    { cause, retry: whileItStarts },
  );
}

/**
 * The longest time between two attempts to reach a server. It is short because all nodes of a new cluster start
 * together, and a server on the same network is ready within minutes.
 */
const whileItStarts = { longest: 10_000 } as const;
