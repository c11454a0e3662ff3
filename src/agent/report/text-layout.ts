/** Functions that lay out text for a terminal. Callers add colours afterwards. */

/** Returns rows with aligned cells; each column is as wide as its longest cell. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Wraps text into indented lines of at most `width` characters. A longer word gets its own line. */
export function wrapped(text: string, width: number, indent: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(indent + word);
    }
  }
  return lines;
}

/** Returns text of at most `width` characters: cuts longer text, and ends it with an ellipsis. */
export function shortened(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** Returns a duration in its two largest units, such as `3h12m`, or in seconds, such as `45s`. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1_000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) {
    return `${days}d${hours}h`;
  }
  if (hours > 0) {
    return `${hours}h${minutes}m`;
  }
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

/** Returns the distance of an ISO time from `now`, such as `in 3h12m` or `45s ago`; `otherwise` without a time. */
export function inTime(at: string | undefined, now: number, otherwise: string): string {
  if (at === undefined) {
    return otherwise;
  }
  const left = Date.parse(at) - now;
  return left >= 0 ? `in ${age(left)}` : `${age(-left)} ago`;
}
