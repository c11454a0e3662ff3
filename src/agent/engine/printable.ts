/**
 * Characters that do more than appear in print: control characters (a terminal obeys them), characters that change the
 * direction of text or are invisible, line separators, and halves of pairs. Line feeds and tabs are not among them.
 */
const acting = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu;

/** Makes text safe for a terminal or a journal: such a character is shown as `\u001b`. JSON keeps its meaning. */
export function printable(text: string): string {
  return text.replace(acting, escaped);
}

/**
 * Makes text safe on one line: line feeds and tabs are escaped as well, so that no text can begin a line of its own.
 */
export function printableLine(text: string): string {
  return printable(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

/** Makes every text in data printable on one line: a line feed becomes a blank. */
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

/** Escapes each UTF-16 unit as JSON does. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
