import { NodeError } from '../engine/errors.ts';
import { forPerson } from '../engine/severity.ts';
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

/** Returns a text with a capital first letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
