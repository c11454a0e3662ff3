/** Characters; of a longer text the result is made at each call. */
const longest = 65_536;

/**
 * Returns `make` as a function that gives the same result again for one of the last `most` texts it was called with.
 *
 * For what a pass asks of the same few files again and again. The result must follow from the text alone, and be only
 * read. What `make` throws is not remembered.
 */
export function remembering<Result>(make: (text: string) => Result, most = 8): (text: string) => Result {
  const known = new Map<string, Result>();
  return (text) => {
    if (text.length > longest) return make(text);
    const isKnown = known.has(text);
    const result = isKnown ? (known.get(text) as Result) : make(text);
    // A Map keeps the order of its entries, so the first is the one that was asked for longest ago.
    known.delete(text);
    known.set(text, result);
    const [oldest] = known.keys();
    if (known.size > most && oldest !== undefined) known.delete(oldest);
    return result;
  };
}
