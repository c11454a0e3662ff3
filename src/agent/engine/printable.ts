/**
 * What does more than appear when it is printed: control characters (a terminal obeys them), characters that turn the
 * direction of text or cannot be seen, what ends a line, and halves of pairs. Line feeds and tabs are not among them.
 */
const acting = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu;

/** Text for a terminal or a journal: what acts is shown as `\u001b`. In JSON that is the same text as before. */
export function printable(text: string): string {
  return text.replace(acting, escaped);
}

/** The same on one line: line feeds and tabs are shown, too, so that no text can begin a line of its own. */
export function printableLine(text: string): string {
  return printable(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

/** Data with every text in it made printable, on one line: a line feed becomes a blank. */
export function printableData<Data>(data: Data): Data;
export function printableData(data: unknown): unknown {
  if (typeof data === 'string') return printable(data).replaceAll('\n', ' ');
  if (Array.isArray(data)) return data.map((item) => printableData(item));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [printable(key), printableData(value)]),
  );
}

/** Each UTF-16 unit, as JSON escapes it. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
