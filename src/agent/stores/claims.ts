import { uncertain } from './store-errors.ts';

/** A store as a claim sees it. */
export interface ClaimedStore {
  readonly name: string;
  /** Creates an object; `exists` if the store has an object with this name. Throws if the outcome is unknown. */
  create(name: string, text: string): Promise<'created' | 'exists'>;
  /** Returns the text of an object; `undefined` if the store does not show it. */
  read(name: string, limit: number): Promise<string | undefined>;
}

/** The largest claim to read, in bytes. A larger object is not a claim of Slipway. */
const longestClaim = 64 * 1024;

/**
 * Claims a name as `ObjectStore.claim` describes. If the object exists, goes by its text, because a store that has
 * created the object may answer a repeated request with a conflict.
 */
export async function claimed(
  store: ClaimedStore,
  name: string,
  text: string,
): Promise<'claimed' | 'exists'> {
  if ((await store.create(name, text)) === 'created') {
    return 'claimed';
  }
  const found = await store.read(name, longestClaim);
  if (found === undefined) {
    throw uncertain(store.name, name);
  }
  return found === text ? 'claimed' : 'exists';
}
