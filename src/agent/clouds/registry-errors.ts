import { soonAfter } from '../engine/backoff.ts';
import { NodeError } from '../engine/errors.ts';
import type { HttpResponse } from '../engine/host.ts';
import { forPerson } from '../engine/severity.ts';
import { isOfProxy, isUnknownName, quoted, refusalOf, untrusted } from './answers.ts';
import type { CloudHints } from './driver.ts';

/** The login server of a request, and the cloud's wording for repairs. */
export interface AskedRegistry {
  readonly server: string;
  readonly hints: CloudHints;
}

/**
 * Returns the error for a registry request that got no answer: `TlsUntrusted`, `RegistryNotFound`,
 * `RegistryUnavailable`, or `failure` itself if the proxy login failed.
 */
export function registryUnreachable(failure: NodeError, { server, hints }: AskedRegistry): NodeError {
  if (failure.reason === 'TlsUntrusted') {
    return untrusted(server, failure);
  }
  if (isOfProxy(failure)) {
    return failure;
  }
  if (isUnknownName(failure)) {
    return new NodeError(
      'RegistryNotFound',
      `The name ${server} does not resolve. Check registries.servers; ${hints.nameServers} must know the name.`,
      { cause: failure },
    );
  }
  return new NodeError(
    'RegistryUnavailable',
    `${server} cannot be reached: ${failure.message} Check registries.servers, network.proxy and the way out of the subnet.`,
    { cause: failure },
  );
}

/**
 * Returns the error for an answer that any registry request can get: `RegistryForbidden` (firewall), `Throttled` or
 * `RegistryUnavailable`. Returns `undefined` for any other answer.
 */
export function registryTrouble(
  response: HttpResponse,
  { server, hints }: AskedRegistry,
  now: number,
): NodeError | undefined {
  const { status } = response;
  const { code, message } = refusalOf(response);
  const says = quoted(message || code);
  const retry = soonAfter(response, now);
  if (status === 403) {
    return new NodeError(
      'RegistryForbidden',
      `${server} refuses this VM.${says} ${hints.openRegistry}`,
      forPerson,
    );
  }
  if (status === 429) {
    return new NodeError('Throttled', `${server} asks for fewer requests.${says}`, { retry });
  }
  if (status === 408 || status === 410 || status >= 500) {
    return new NodeError('RegistryUnavailable', `${server} answers ${status}.${says}`, { retry });
  }
  return undefined;
}
