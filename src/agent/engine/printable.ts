/**
 * Characters that are not safe to print: control characters, which a terminal obeys; characters that are invisible or
 * change the direction of text; line separators; and unpaired surrogates. Line feeds and tabs are safe.
 */
const acting = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu;

/**
 * Makes text safe for a terminal or a journal: each unsafe character becomes an escape such as `\u001b`. In JSON, the
 * escapes do not change the values.
 */
export function printable(text: string): string {
  return text.replace(acting, escaped);
}

/** Makes text safe for a single line: also escapes line feeds and tabs, so that the text cannot begin another line. */
export function printableLine(text: string): string {
  return printable(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

/**
 * Returns a copy of the data in which each unsafe character is an escape, as in the result of `printable`. In values, a
 * line feed becomes a space.
 */
export function printableData<Data>(data: Data): Data;
export function printableData(data: unknown): unknown {
  if (typeof data === 'string') {
    return printable(data).replaceAll('\n', ' ');
  }
  if (Array.isArray(data)) {
    return data.map((item) => printableData(item));
  }
  if (typeof data !== 'object' || data === null) {
    return data;
  }
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [printable(key), printableData(value)]),
  );
}

/** Escapes each UTF-16 unit of a character as JSON does. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
