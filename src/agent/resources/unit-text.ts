/** An assignment in a unit file, with its continuation lines joined, and the number of its first line. */
export interface UnitLine {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** Returns the assignments of a unit file in order (systemd.syntax(7)), without their sections. */
export function unitLines(text: string): readonly UnitLine[] {
  return logicalLines(text).flatMap(({ content, line }) => {
    const [, key, value] = /^([A-Za-z]+)\s*=\s*(.*)$/s.exec(content) ?? [];
    return key === undefined || value === undefined ? [] : [{ key, value: value.trim(), line }];
  });
}

/** Returns the effective assignments of a key: an empty assignment resets the earlier ones. */
export function assigned(lines: readonly UnitLine[], key: string): readonly UnitLine[] {
  const all = lines.filter((each) => each.key === key);
  return all.slice(all.findLastIndex(({ value }) => value === '') + 1);
}

/** Splits a command line or a list of variables into words; quotes and escapes work as in systemd.service(5). */
export function unitWords(value: string): readonly string[] {
  const raw = value.match(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/gs) ?? [];
  return raw.map((word) => unquoted(word).replaceAll('$$', '$').replaceAll('%%', '%'));
}

function logicalLines(text: string): readonly { readonly content: string; readonly line: number }[] {
  const found: { content: string; line: number }[] = [];
  let open: { content: string; line: number } | undefined;
  for (const [at, raw] of text.split('\n').entries()) {
    if (/^\s*[#;]/.test(raw)) {
      continue;
    }
    const { content, line } = open
      ? { ...open, content: `${open.content} ${raw}` }
      : { content: raw, line: at + 1 };
    open = content.endsWith('\\') ? { content: content.slice(0, -1), line } : undefined;
    if (!open) {
      found.push({ content: content.trim(), line });
    }
  }
  return open ? [...found, open] : found;
}

function unquoted(word: string): string {
  return word.replace(
    /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|\\(.)/gs,
    (_, double?: string, single?: string, escaped?: string) =>
      escaped ?? (double ?? single ?? '').replace(/\\(.)/gs, '$1'),
  );
}
