import { createHash, X509Certificate } from 'node:crypto';
import { NodeError } from '../core/errors.ts';
import type { HostReader, HttpRequest, HttpResponse } from '../core/host.ts';
import { basicAuth, bearerAuth, type Token } from './token.ts';

/** Milliseconds for one answer of the supervisor. */
const timeout = 5_000;

/**
 * The CA certificates a K3s server shows to whoever asks (GET /cacerts, pkg/server/handlers/router.go).
 *
 * `ServerUnreachable` where nothing or something else answers there, `ServerNotReady` while it is starting.
 */
export async function serverCa(host: HostReader, server: string): Promise<string> {
  const ping = await ask(host, { url: `${server}/ping`, trust: 'anybody' });
  if (ping.status === 503) throw serverNotReady(server);
  if (ping.status !== 200 || ping.body.trim() !== 'pong') {
    throw unreachable(
      server,
      `${server}/ping answers ${ping.status} and not pong, so this is no K3s server.`,
    );
  }
  const { status, body } = await ask(host, { url: `${server}/cacerts`, trust: 'anybody' });
  if (status !== 200 || certificates(body).length === 0) throw serverNotReady(server);
  return body;
}

/** How a server takes a node's token: the status of GET /v1-k3s/readyz, asked of that CA's server only. */
export async function tokenStatus(
  host: HostReader,
  server: string,
  ca: string,
  token: Token,
): Promise<number> {
  const authorization =
    token.kind === 'bootstrap' ? bearerAuth(token.credential) : basicAuth('node', token.credential);
  const { status } = await ask(host, {
    url: `${server}/v1-k3s/readyz`,
    headers: { authorization },
    trust: { ca },
  });
  return status;
}

export function serverNotReady(server: string): NodeError {
  return new NodeError('ServerNotReady', `The K3s server at ${server} is there and still starting.`, {
    retry: whileItStarts,
  });
}

export interface PinnedCa {
  /** What a token pins. */
  readonly hash: string;
  /** What that hash vouches for, PEM; others may have added certificates of their own. */
  readonly trusted: string;
}

/**
 * The CA a bundle stands for, as a token pins it (pkg/clientaccess/token.go, hashCA): by the text while there is one
 * certificate, else by the root's DER, which vouches for the chain from the first certificate to it.
 */
export function pinnedCa(pem: string): PinnedCa {
  const [first, ...others] = certificates(pem);
  const chain = first && others.length > 0 ? chainOf(first, others) : undefined;
  const root = chain?.at(-1);
  if (!chain || !root) return { hash: sha256(pem), trusted: pem };
  return { hash: sha256(root.raw), trusted: chain.join('') };
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Whether two CA bundles have a certificate in common; K3s keeps the old ones when a CA is renewed. */
export function shareCertificate(a: string, b: string): boolean {
  const known = new Set(certificates(a).map(({ fingerprint256 }) => fingerprint256));
  return certificates(b).some(({ fingerprint256 }) => known.has(fingerprint256));
}

function certificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => parsed(block) ?? []);
}

function parsed(block: string): X509Certificate | undefined {
  try {
    return new X509Certificate(block);
  } catch {
    return undefined;
  }
}

/** From a certificate to the root that signed it, by signature and not by name alone; `undefined` without a root. */
function chainOf(
  first: X509Certificate,
  others: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const signed = (by: X509Certificate) => first.checkIssued(by) && first.verify(by.publicKey);
  if (signed(first)) return [first];
  const issuer = others.find(signed);
  if (!issuer) return undefined;
  const above = chainOf(
    issuer,
    others.filter((other) => other !== issuer),
  );
  return above && [first, ...above];
}

async function ask(host: HostReader, request: HttpRequest): Promise<HttpResponse> {
  try {
    return await host.get({ timeout, direct: true, ...request });
  } catch (thrown) {
    const why = thrown instanceof NodeError ? thrown : undefined;
    if (!why) throw thrown;
    throw unreachable(new URL(request.url).origin, why.message, thrown);
  }
}

function unreachable(server: string, why: string, cause?: unknown): NodeError {
  return new NodeError(
    'ServerUnreachable',
    `The K3s server at ${server} does not answer as one. ${why} Check that it runs, that the tag k3s-server or ` +
      'k3s.server names it, and that the network security group lets TCP 6443 pass.',
    { cause, retry: whileItStarts },
  );
}

/** A cluster is made in one go: its agents wait for a server that is seconds or minutes away, on their own network. */
const whileItStarts = { pace: 'soon', longest: 10_000 } as const;
