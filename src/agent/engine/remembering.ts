import { isDeepStrictEqual } from 'node:util';

/** Functions that forget unused results, one from each call of `remembering` and `rememberingData`. */
const forgetters: (() => void)[] = [];

/**
 * Returns a function that remembers the results of `make`, and calls `make` only if the text of a file has changed
 * since the last call.
 *
 * The function keeps one text per file, under the file's path or any other name. A new text replaces the old one, so
 * that no old secret is kept. The result must depend on the text and the name alone, and must not be modified. An error
 * of `make` is not remembered.
 *
 * If a module calls `remembering` once, the returned function serves every Host of the process. Its results are never
 * out of date, because each caller passes the current text.
 */
export function remembering<Result>(
  make: (text: string, name: string) => Result,
): (text: string, name: string) => Result {
  return rememberingLast(make, (one, other) => one === other);
}

/**
 * Returns a function that remembers the results of `make` as that of `remembering` does, but for plain data instead of
 * texts. Calls `make` only if the data, including the order of keys, differs from that of the last call with this name.
 * The data must not be modified.
 */
export function rememberingData<Data, Result>(
  make: (data: Data) => Result,
): (data: Data, name: string) => Result {
  return rememberingLast(make, isSame);
}

/** True if data is equal, including the order of keys. A comparison of JSON alone would treat `.inf` as `null`. */
export function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other) && JSON.stringify(one) === JSON.stringify(other);
}

function rememberingLast<From, Result>(
  make: (from: From, name: string) => Result,
  isEqual: (one: From, other: From) => boolean,
): (from: From, name: string) => Result {
  const known = new Map<string, { readonly from: From; readonly result: Result }>();
  const asked = new Set<string>();
  forgetters.push(() => {
    for (const name of known.keys()) {
      if (!asked.has(name)) {
        known.delete(name);
      }
    }
    asked.clear();
  });
  return (from, name) => {
    asked.add(name);
    const last = known.get(name);
    if (last !== undefined && isEqual(last.from, from)) {
      return last.result;
    }
    known.delete(name);
    const result = make(from, name);
    known.set(name, { from, result });
    return result;
  };
}

/**
 * Returns a function that remembers the result of `make` for each object as long as the object exists. The result must
 * depend on the object alone, and neither may be modified.
 */
export function rememberingObjects<Key extends object, Result>(
  make: (object: Key) => Result,
): (object: Key) => Result {
  const known = new WeakMap<Key, { readonly result: Result }>();
  return (object) => {
    const found = known.get(object);
    if (found !== undefined) {
      return found.result;
    }
    const result = make(object);
    known.set(object, { result });
    return result;
  };
}

/** Forgets every file that no caller has requested since the last call of `forgetUnasked`, such as a deleted file. */
export function forgetUnasked(): void {
  for (const forget of forgetters) {
    forget();
  }
}
