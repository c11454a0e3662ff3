/** One for each function that remembers. */
const forgetters: (() => void)[] = [];

/**
 * Returns `make` as a function that computes its result anew only if the text of a file differs from the last one.
 *
 * One text of a file is kept, by its path or any other name: a new one replaces the old one and the secrets in it. The
 * result must follow from the text alone, and be only read. An error of `make` is not remembered.
 *
 * A function at the level of its module serves every host of the process and is never out of date, since each caller
 * passes the current text.
 */
export function remembering<Result>(make: (text: string) => Result): (text: string, name: string) => Result {
  const known = new Map<string, { readonly text: string; readonly result: Result }>();
  const asked = new Set<string>();
  forgetters.push(() => {
    for (const name of known.keys()) {
      if (!asked.has(name)) {
        known.delete(name);
      }
    }
    asked.clear();
  });
  return (text, name) => {
    asked.add(name);
    const last = known.get(name);
    if (last?.text === text) {
      return last.result;
    }
    known.delete(name);
    const result = make(text);
    known.set(name, { text, result });
    return result;
  };
}

/** Forgets every file that no caller asked about since the last call, such as a deleted one. */
export function forgetUnasked(): void {
  for (const forget of forgetters) {
    forget();
  }
}
