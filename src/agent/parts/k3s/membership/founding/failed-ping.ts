import { NodeError } from '../../../../engine/errors.ts';
import type { HostReader } from '../../../../engine/host.ts';

/**
 * What an address shows about a server: `silent` if no connection is possible, `hangs` if nothing shows whether one is,
 * `answers` if anything answers, `unknownName` if its name does not exist, and `noDns` if no DNS server answers.
 */
export type Sign = 'silent' | 'hangs' | 'answers' | 'unknownName' | 'noDns';

/**
 * The milliseconds for which an accepted connection may stay silent. A balancer whose servers are all off closes it
 * earlier: at once, or after 3 to 10 s if HAProxy repeats its attempts. One whose server hangs closes it later, after
 * 20 s or more (ADR 60).
 */
const patience = 15_000;

/** The codes of connect(2) if nothing accepts a connection at an address, or no route of this machine leads there. */
const refusals = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
];

/**
 * The codes of `peerCertificate` if nothing accepts a connection in time, or if it is closed before TLS. A TCP balancer
 * without a living server closes it so; a K3s that lives does not.
 */
const silences = [...refusals, 'ETIMEDOUT', 'ECONNRESET', 'EPIPE'];

/**
 * Judges the error of a ping (`requirePong`). Only a missing connection is silence: every other failure may be that of
 * a living cluster. Unless the error itself shows what it is, a second connection shows it: a slow server has a
 * certificate, and a server that hangs accepts the connection. Rethrows an error that is not a `NodeError`, since it is
 * a defect of Slipway.
 */
export async function judgeFailedPing(host: HostReader, address: string, thrown: unknown): Promise<Sign> {
  const cause = nodeError(thrown).cause;
  if (!(cause instanceof NodeError) || !['Unreachable', 'TimedOut'].includes(cause.reason)) {
    return 'answers';
  }
  return signIn(cause, refusals) ?? signAt(host, address);
}

/** Returns what an address shows about a server when it is asked for the certificate of one. */
export async function signAt(host: HostReader, url: string): Promise<Sign> {
  try {
    await host.peerCertificate(url, patience);
    return 'answers';
  } catch (thrown) {
    const failure = nodeError(thrown);
    if (failure.reason === 'Unreachable') {
      return signIn(failure, silences) ?? 'hangs';
    }
    return failure.reason === 'TimedOut' ? 'hangs' : 'answers';
  }
}

/** Returns a thrown NodeError. Rethrows anything else. */
export function nodeError(thrown: unknown): NodeError {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
  return thrown;
}

/** Returns what the codes in an error show; `undefined` if they show nothing. `silent` names the codes of silence. */
function signIn(failure: NodeError, silent: readonly string[]): Sign | undefined {
  const codes = codesOf(failure);
  // The codes of getaddrinfo(3): no such name, and no answer from any DNS server.
  if (codes.includes('ENOTFOUND')) {
    return 'unknownName';
  }
  if (codes.includes('EAI_AGAIN')) {
    return 'noDns';
  }
  return codes.every((code) => silent.includes(code)) ? 'silent' : undefined;
}

/** Returns the code of an error or of its causes, or else an empty text; with several addresses, that of each. */
function codesOf(failure: unknown): readonly string[] {
  if (failure instanceof AggregateError && failure.errors.length > 0) {
    return failure.errors.flatMap(codesOf);
  }
  if (!(failure instanceof Error)) {
    return [''];
  }
  return 'code' in failure && typeof failure.code === 'string' ? [failure.code] : codesOf(failure.cause);
}
