import { NodeError } from '../engine/errors.ts';
import type { HttpResponse } from '../engine/host.ts';
import { isOfProxy, isUnknownName, quoted, refusalOf, soonAfter, untrusted } from './answers.ts';

/** A request to a registry that got no answer: `TlsUntrusted`, `RegistryNotFound`, `RegistryUnavailable`. */
export function registryUnreachable(failure: NodeError, loginServer: string): NodeError {
  if (failure.reason === 'TlsUntrusted') return untrusted(loginServer, failure);
  if (isOfProxy(failure)) return failure;
  if (isUnknownName(failure))
    return new NodeError(
      'RegistryNotFound',
      `The name ${loginServer} does not resolve. Check registries.servers, and the DNS zone of a private endpoint.`,
      { cause: failure },
    );
  return new NodeError(
    'RegistryUnavailable',
    `${loginServer} cannot be reached: ${failure.message} Check registries.servers, network.proxy and the way out of the subnet.`,
    { cause: failure },
  );
}

/**
 * What a registry answers to anybody, whatever is asked of it: `RegistryForbidden` (its firewall), `Throttled`,
 * `RegistryUnavailable`; `undefined` where the answer is about what was asked.
 */
export function registryTrouble(
  response: HttpResponse,
  loginServer: string,
  now: number,
): NodeError | undefined {
  const { status } = response;
  const { code, message } = refusalOf(response);
  const says = quoted(message || code);
  const passing = { retry: soonAfter(response, now) };
  if (status === 403)
    return new NodeError(
      'RegistryForbidden',
      `${loginServer} refuses this VM.${says} Allow the VM's subnet in the registry's networking settings, or give the registry a private endpoint.`,
      { retry: { pace: 'slow' } },
    );
  if (status === 429)
    return new NodeError('Throttled', `${loginServer} asks for fewer requests.${says}`, passing);
  if (status === 408 || status === 410 || status >= 500)
    return new NodeError('RegistryUnavailable', `${loginServer} answers ${status}.${says}`, passing);
  return undefined;
}
