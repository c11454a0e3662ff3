/** A passage of prose: a comment, a string in a program, or a paragraph. */
export interface Passage {
  /** The number of the passage's first line, counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** Returns the prose of a TypeScript source: its comments, and its string literals of three words or more. */
export function passagesOfSource(source: string): readonly Passage[] {
  const found: Passage[] = [];
  const comment: string[] = [];
  const lines = [...source.split('\n'), ''];
  for (const [index, line] of lines.entries()) {
    const [, words] = /^\s*(?:\/\*\*?|\*\/|\*(?= |$)|\/\/)\s?(.*?)(?:\s*\*\/)?$/.exec(line) ?? [];
    if (words !== undefined && words !== '') {
      comment.push(words);
      continue;
    }
    if (words === '' && !line.trim().endsWith('*/')) {
      flush(index);
      continue;
    }
    flush(index);
    found.push(...literals(line, index + 1));
  }
  return found;

  function flush(end: number): void {
    if (comment.length > 0) {
      found.push({ line: end - comment.length + 1, text: comment.join(' ') });
    }
    comment.length = 0;
  }
}

/** Returns the paragraphs of a Markdown page, without code blocks and code spans. */
export function passagesOfPage(page: string): readonly Passage[] {
  const found: Passage[] = [];
  const paragraph: string[] = [];
  let isCode = false;
  for (const [index, line] of [...page.split('\n'), ''].entries()) {
    const isFence = line.trimStart().startsWith('```');
    if (isFence) {
      isCode = !isCode;
    }
    if (line.trim() !== '' && !isFence && !isCode) {
      paragraph.push(line.trim());
    } else {
      if (paragraph.length > 0) {
        found.push({ line: index - paragraph.length + 1, text: withoutCode(paragraph.join(' ')) });
      }
      paragraph.length = 0;
    }
  }
  return found;
}

function literals(line: string, number: number): readonly Passage[] {
  const texts = [...line.matchAll(/'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\]|\\.)*)"|\/\/ (.*)$/g)];
  return texts
    .map((match) => match.slice(1).find((text) => text !== undefined) ?? '')
    .filter((text) => text.split(' ').length >= 3)
    .map((text) => ({ line: number, text }));
}

function withoutCode(text: string): string {
  return text.replaceAll(/`[^`]*`/g, '`code`');
}
