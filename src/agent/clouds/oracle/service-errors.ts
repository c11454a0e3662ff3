import { soonAfter } from '../../engine/backoff.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HttpResponse } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { isOfProxy, quoted, redirection, refusalOf, untrusted } from '../answers.ts';

/** The service of Oracle Cloud that received a request. */
export interface AskedService {
  /** The host name of the service. */
  readonly name: string;
  /** The reason to report while the service does not answer, or answers with a server error. */
  readonly unavailable: 'InstancePrincipalUnavailable' | 'VaultUnavailable';
}

/**
 * Throws the error for a request that got no answer: `TlsUntrusted`, the service's `unavailable` reason, or `thrown`
 * itself if the proxy login failed or if `thrown` is not a NodeError.
 */
export function callUnreachable(thrown: unknown, { name, unavailable }: AskedService): never {
  if (!(thrown instanceof NodeError) || isOfProxy(thrown)) {
    throw thrown;
  }
  if (thrown.reason === 'TlsUntrusted') {
    throw untrusted(name, thrown);
  }
  throw new NodeError(
    unavailable,
    `${name} cannot be reached: ${thrown.message} Check network.proxy and the way out of the subnet: a service gateway, a NAT gateway or the node that routes.`,
    { cause: thrown },
  );
}

/**
 * Returns the error for an answer that any service may send: `InstancePrincipalRefused`, `Throttled`, the service's
 * `unavailable` reason, or `UnexpectedAnswer`. Source: docs.oracle.com, "API Errors", which lists `{code, message}` and
 * no status 403.
 */
export function callRefused(
  response: HttpResponse,
  { name, unavailable }: AskedService,
  now: number,
): NodeError {
  const { status } = response;
  const { code, message } = refusalOf(response);
  const says = quoted(message || code);
  const retry = soonAfter(response, now);
  if (status === 401 && code !== '') {
    return new NodeError(
      'InstancePrincipalRefused',
      `${name} does not accept the signature of this instance.${says}${clockRemark(response, now)} It is tried again with a new token.`,
      { retry },
    );
  }
  if (status === 429) {
    return new NodeError('Throttled', `${name} asks for fewer requests.${says}`, { retry });
  }
  if (status === 408 || status >= 500) {
    return new NodeError(unavailable, `${name} answers ${status}.${says}`, { retry });
  }
  return new NodeError(
    'UnexpectedAnswer',
    `${name} does not answer as a service of Oracle Cloud does: status ${status}.${says}${redirection(response, `https://${name}`)} Check network.proxy and what it allows.`,
    status === 200 ? {} : forPerson,
  );
}

/**
 * The largest clock difference, in milliseconds, that error messages do not mention. Oracle Cloud allows five minutes;
 * the rest covers the age of the answer.
 */
const tolerated = 270_000;

/**
 * Returns a sentence about this machine's clock if it differs too much from the service's Date header; an empty string
 * otherwise.
 */
export function clockRemark({ headers: { date } }: HttpResponse, now: number): string {
  const skew = now - Date.parse(date ?? '');
  if (!(Math.abs(skew) > tolerated)) {
    return '';
  }
  const side = skew < 0 ? 'behind' : 'ahead of';
  return ` The clock of this machine is ${Math.round(Math.abs(skew) / 1_000)} s ${side} its clock, and five minutes are allowed: timedatectl set-ntp true.`;
}
