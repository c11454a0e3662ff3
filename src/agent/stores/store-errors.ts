import { redirection } from '../clouds/answers.ts';
import { soonAfter } from '../engine/backoff.ts';
import { NodeError } from '../engine/errors.ts';
import type { HttpResponse } from '../engine/host.ts';
import { forPerson } from '../engine/severity.ts';
import type { Verdict } from './protocol.ts';
import { mostObjects } from './store.ts';

/** Returns `StoreConflict`, for an object that exists with another content. */
export function conflict(store: string, name: string): NodeError {
  return new NodeError(
    'StoreConflict',
    `${capital(store)} already has ${name} with another content, and nothing was replaced. Look at what wrote it; to store this one, remove the object there.`,
    forPerson,
  );
}

/** Returns `StoreUncertain`, for an object that exists, but cannot be read. */
export function uncertain(store: string, name: string): NodeError {
  return new NodeError(
    'StoreUncertain',
    `${capital(store)} says that ${name} exists, but does not show it, so it is unknown whose it is. It is asked again.`,
  );
}

/** Returns `ObjectNotFound`. */
export function missing(store: string, name: string): NodeError {
  return new NodeError(
    'ObjectNotFound',
    `${capital(store)} has no ${name}. Check that nothing else removes objects there; the store may also show a new object late.`,
  );
}

/** Returns `StoreLimit`, for an object with more than `limit` bytes. */
export function tooLarge(store: string, name: string, limit: number): NodeError {
  return new NodeError(
    'StoreLimit',
    `${name} in ${store} is larger than ${limit} bytes, and was not read. Check what wrote it.`,
    forPerson,
  );
}

/** Returns `StoreLimit`, for a store with more objects than `mostObjects`. */
export function tooMany(store: string, prefix: string): NodeError {
  return new NodeError(
    'StoreLimit',
    `${capital(store)} has more than ${mostObjects} objects below ${prefix || 'its top'}, and they were not listed. Remove old backups there, or let the store do so by a rule.`,
    forPerson,
  );
}

/** Returns `StoreUnsuitable`, for a file that one request to the store cannot hold. */
export function tooLargeToStore(store: string, bytes: number, most: number): NodeError {
  return new NodeError(
    'StoreUnsuitable',
    `A file of ${bytes} bytes does not fit into ${store}, which takes at most ${most} bytes in one request. Choose another store in backup.to.`,
    forPerson,
  );
}

/** Returns `StoreUnsuitable`, for a store that replaces an object although the request forbids that. */
export function ignoresConditions(store: string): NodeError {
  return new NodeError(
    'StoreUnsuitable',
    `${capital(store)} ignores If-None-Match and replaces objects, so two servers could both claim to be the first of a cluster. Use a store that supports conditional writes, or a newer release of its software.`,
    forPerson,
  );
}

/** The parts of a message about a refusal. */
export interface RefusedBy {
  readonly store: string;
  /** The place that may be missing, as the message names it, such as `the bucket backups`. */
  readonly place: string;
  /** A sentence about the rights that this node needs. */
  readonly permit: string;
  /** What the store says, as a sentence with a space before it. */
  readonly says: string;
}

/** Returns the error for a refusal that means the same in every store. */
export function usualRefusal(
  response: HttpResponse,
  verdict: Verdict,
  { store, place, permit, says }: RefusedBy,
  now: number,
): NodeError {
  const { status } = response;
  const retry = soonAfter(response, now);
  if (verdict === 'nowhere') {
    return new NodeError(
      'StoreNotFound',
      `${capital(place)} does not exist.${says} Create it, or correct backup.to.`,
      forPerson,
    );
  }
  if (verdict === 'forbidden' || verdict === 'hidden') {
    return new NodeError('StoreForbidden', `${capital(store)} refuses this node.${says} ${permit}`, {
      retry,
    });
  }
  if (status === 429) {
    return new NodeError('Throttled', `${capital(store)} asks for fewer requests.${says}`, { retry });
  }
  if (status === 408 || status === 409 || status >= 500) {
    return new NodeError(
      'StoreUnavailable',
      `${capital(store)} answers ${status}.${says} It is asked again.`,
      { retry },
    );
  }
  return new NodeError(
    'UnexpectedAnswer',
    `${capital(store)} does not answer as a store of its kind does: status ${status}.${says}${redirection(response, 'https://store.invalid')} Check network.proxy and backup.to.`,
    forPerson,
  );
}

/** Returns a text with a capital first letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
