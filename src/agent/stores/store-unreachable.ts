import { isOfProxy, isUnknownName, untrusted } from '../clouds/answers.ts';
import { NodeError } from '../engine/errors.ts';
import { forPerson } from '../engine/severity.ts';
import { capital } from './store-errors.ts';

/**
 * Throws the error for a request to a store without an answer: `StoreNotFound` if its host has no address,
 * `TlsUntrusted`, or `StoreUnavailable`. Throws an error that is not about the connection, or about the proxy,
 * unchanged.
 */
export function storeUnreachable(thrown: unknown, store: string): never {
  if (!(thrown instanceof NodeError) || isOfProxy(thrown)) {
    throw thrown;
  }
  if (thrown.reason === 'TlsUntrusted') {
    throw untrusted(store, thrown);
  }
  if (isUnknownName(thrown)) {
    throw new NodeError(
      'StoreNotFound',
      `${capital(store)} has no address: ${thrown.message} Check backup.to and backup.s3.endpoint.`,
      { ...forPerson, cause: thrown },
    );
  }
  if (thrown.reason !== 'Unreachable' && thrown.reason !== 'TimedOut') {
    throw thrown;
  }
  throw new NodeError(
    'StoreUnavailable',
    `${capital(store)} cannot be reached: ${thrown.message} Check network.proxy and the firewall between this VM and the store.`,
    { cause: thrown },
  );
}
