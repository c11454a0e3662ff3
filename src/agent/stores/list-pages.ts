import { NodeError } from '../engine/errors.ts';
import { isObjectName } from './object-name.ts';
import type { Protocol } from './protocol.ts';
import { mostObjects, type StoredObject } from './store.ts';
import { capital, tooMany } from './store-errors.ts';

/** The largest number of pages to read; a page may have no objects at all. */
const mostPages = 100;

/**
 * Returns the objects on all pages of a list, sorted by name, and without the prefix of `backup.to`. Omits objects
 * whose names Slipway does not use. Throws `StoreLimit` for too many objects or pages, and `UnexpectedAnswer` for
 * something that is not a list.
 */
export async function allPages(
  protocol: Protocol,
  prefix: string,
  ask: (url: string) => Promise<string>,
): Promise<readonly StoredObject[]> {
  const found: StoredObject[] = [];
  const start = `${protocol.within}${prefix}`;
  let next: string | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const page = protocol.readPage(await ask(await protocol.listUrl(start, next)));
    if (page === undefined) {
      throw notAList(protocol.name);
    }
    found.push(...page.objects.filter(({ name }) => name.startsWith(start)));
    if (found.length > mostObjects) {
      throw tooMany(protocol.name, prefix);
    }
    if (page.next === undefined || page.next === '') {
      return found
        .map((each) => ({ ...each, name: each.name.slice(protocol.within.length) }))
        .filter(({ name, bytes, modifiedAt }) => isObjectName(name) && bytes >= 0 && modifiedAt >= 0)
        .sort((one, other) => (one.name < other.name ? -1 : 1));
    }
    next = page.next;
  }
  throw tooMany(protocol.name, prefix);
}

function notAList(store: string): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `${capital(store)} answers the request for its objects with something else. Check network.proxy and backup.to.`,
  );
}
