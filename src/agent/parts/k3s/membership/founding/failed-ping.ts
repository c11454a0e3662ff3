import { NodeError } from '../../../../engine/errors.ts';
import type { HostReader } from '../../../../engine/host.ts';

/**
 * What a failed ping shows about an address: `silent` if no connection is possible, `answers` if anything answers,
 * `unknownName` if its name does not exist, and `noDns` if no DNS server answers.
 */
export type FailedPing = 'silent' | 'answers' | 'unknownName' | 'noDns';

/**
 * Judges the error of a ping (`requirePong`). Only a missing connection is silence: every other failure may be that of
 * a living cluster. A slow server has a certificate, while the ping of a server that is off ends with the same error.
 * Rethrows an error that is not a `NodeError`, since it is a defect of Slipway.
 */
export async function judgeFailedPing(
  host: HostReader,
  address: string,
  thrown: unknown,
): Promise<FailedPing> {
  const cause = nodeError(thrown).cause;
  const reason = cause instanceof NodeError ? cause.reason : undefined;
  if (reason === 'TimedOut') {
    return host.peerCertificate(address).then(
      () => 'answers',
      (failure) => (isMissing(nodeError(failure)) ? 'silent' : 'answers'),
    );
  }
  return reason === 'Unreachable' ? unreached(cause) : 'answers';
}

/** Returns a thrown NodeError. Rethrows anything else. */
export function nodeError(thrown: unknown): NodeError {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
  return thrown;
}

function isMissing({ reason }: NodeError): boolean {
  return reason === 'Unreachable' || reason === 'TimedOut';
}

/** Looks for the codes of getaddrinfo(3): no such name, and no answer from any DNS server. */
function unreached(failure: unknown): FailedPing {
  for (let cause = failure; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && cause.code === 'ENOTFOUND') {
      return 'unknownName';
    }
    if ('code' in cause && cause.code === 'EAI_AGAIN') {
      return 'noDns';
    }
  }
  return 'silent';
}
