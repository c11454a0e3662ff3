import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP } from 'node:net';
import { connect } from 'node:tls';
import { NodeError } from '../../engine/errors.ts';
import { within } from '../clock/deadline.ts';
import { errnoOf, systemError } from '../files/file-errors.ts';
import { addressOf } from './http.ts';
import { connectionError, noAnswer, timedOut } from './http-errors.ts';

/** The limits of a handshake in milliseconds: until the connection is accepted, and from then to its end. */
export interface HandshakeLimits {
  readonly accept: number;
  readonly answer: number;
}

/**
 * Returns the certificate of the TLS server at an https URL as PEM, without verifying it. Sends no request, bypasses
 * any proxy, and asks all addresses of a name at once. `answer` and `accept` are the limits of `HandshakeLimits`.
 * Throws the errors of `certificateAt`, and `Unreachable` for a name that does not resolve.
 */
export async function peerCertificate(address: string, answer = 5_000, accept = 5_000): Promise<string> {
  const url = addressOf(address);
  const late = () => timedOut(url, accept + answer);
  return within(accept + answer, late, async (signal) => {
    const found = await lookup(hostIn(url), { all: true }).catch((thrown) => {
      throw connectionError(thrown, url);
    });
    const addresses = found.map(({ address }) => address);
    return certificateAt(url, addresses, { accept, answer }, signal);
  });
}

/**
 * Returns the certificate that an address of a URL's host shows first.
 *
 * Throws `Unreachable` if each address accepts no connection in time, or closes it before it has sent a byte; the cause
 * has the error of each. Otherwise throws `TimedOut` if an address accepts a connection and stays silent, and
 * `UnexpectedAnswer` or `TlsUntrusted` if one sends anything but a handshake.
 */
export async function certificateAt(
  url: URL,
  addresses: readonly string[],
  limits: HandshakeLimits,
  signal: AbortSignal,
): Promise<string> {
  const first = new AbortController();
  const ended = AbortSignal.any([signal, first.signal]);
  try {
    return await Promise.any(addresses.map((address) => shakeHands(url, address, limits, ended)));
  } catch (thrown) {
    throw thrown instanceof AggregateError ? mostTelling(thrown.errors) : thrown;
  } finally {
    first.abort();
  }
}

function hostIn({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Returns the error that shows most; if all addresses are unreachable, one whose cause has all of their errors. */
function mostTelling(errors: readonly NodeError[]): NodeError | undefined {
  const answered = errors.filter(({ reason }) => reason !== 'Unreachable');
  const [most = errors[0]] = [...answered.filter(({ reason }) => reason !== 'TimedOut'), ...answered];
  return most?.reason === 'Unreachable' && errors.length > 1
    ? new NodeError('Unreachable', most.message, { cause: new AggregateError(errors) })
    : most;
}

function shakeHands(
  url: URL,
  address: string,
  { accept, answer }: HandshakeLimits,
  ended: AbortSignal,
): Promise<string> {
  const name = hostIn(url);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const tcp = connectTcp({ host: address, port: Number(url.port || 443) });
  const socket = connect({
    socket: tcp,
    rejectUnauthorized: false,
    ...(isIP(name) === 0 && { servername: name }),
  });
  const fail = (thrown: Error) => {
    // The TLS socket itself counts no bytes of the handshake.
    const isCut = errnoOf(thrown) === 'ECONNRESET' && tcp.bytesRead > 0;
    reject(isCut ? noAnswer(url, cut) : connectionError(thrown, url));
    tcp.destroy();
  };
  let timer = setTimeout(() => fail(systemError('ETIMEDOUT')), accept);
  tcp.once('connect', () => {
    clearTimeout(timer);
    timer = setTimeout(() => fail(timedOut(url, answer)), answer);
  });
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    return certificate ? resolve(certificate.toString()) : reject(noAnswer(url, 'it shows no certificate'));
  });
  socket.on('error', fail);
  socket.once('close', () => fail(noAnswer(url, cut)));
  ended.addEventListener('abort', () => tcp.destroy(), { once: true });
  return promise.finally(() => {
    clearTimeout(timer);
    tcp.destroy();
  });
}

const cut = 'it closed the connection during the TLS handshake';
