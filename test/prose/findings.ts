import { type Passage, passagesOfPage, passagesOfSource } from './passages.ts';
import { phrases } from './phrases.ts';

export interface Finding {
  /** The file, and the line on which the passage with the phrase begins. */
  readonly place: string;
  readonly phrase: string;
  readonly instead: string;
  /** The phrase with some characters before and after it. */
  readonly context: string;
}

const around = 40;

/** The widest line of a comment, in columns. The formatter wraps code, but not comments. */
const commentWidth = 120;

/**
 * Returns the phrases to rewrite in a source or page, and for a TypeScript source also the comments that are too wide.
 * A file whose name ends with `.md` is a Markdown page; any other file is a TypeScript source.
 */
export function findingsIn(file: string, text: string): readonly Finding[] {
  if (file.endsWith('.md')) {
    return passagesOfPage(text).flatMap((passage) => findingsInPassage(file, passage));
  }
  const phrasesFound = passagesOfSource(text).flatMap((passage) => findingsInPassage(file, passage));
  return [...phrasesFound, ...wideComments(file, text)];
}

/** Returns the lines of comments that are wider than `commentWidth`. */
function wideComments(file: string, source: string): readonly Finding[] {
  return source.split('\n').flatMap((line, index) => {
    if (line.length <= commentWidth || !/^\s*(?:\/[/*]|\*)/.test(line)) {
      return [];
    }
    const instead = `at most ${commentWidth} columns`;
    return [
      { place: `${file}:${index + 1}`, phrase: `${line.length} columns`, instead, context: line.trim() },
    ];
  });
}

function findingsInPassage(file: string, { line, text }: Passage): readonly Finding[] {
  return phrases.flatMap(({ pattern, instead }) => {
    const match = pattern.exec(text);
    if (!match) {
      return [];
    }
    const [phrase] = match;
    const context = text.slice(Math.max(0, match.index - around), match.index + phrase.length + around);
    return [{ place: `${file}:${line}`, phrase, instead, context }];
  });
}
