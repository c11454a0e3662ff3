import { type Passage, passagesOfPage, passagesOfSource } from './passages.ts';
import { phrases } from './phrases.ts';

export interface Finding {
  /** The file, and the line on which the passage with the phrase begins. */
  readonly place: string;
  readonly phrase: string;
  readonly instead: string;
  /** The phrase with the text around it. */
  readonly context: string;
}

const around = 40;

/**
 * Returns the phrases to rewrite in a TypeScript source, or in a Markdown page if the name of the file ends with `.md`.
 */
export function findingsIn(file: string, text: string): readonly Finding[] {
  const passages = file.endsWith('.md') ? passagesOfPage(text) : passagesOfSource(text);
  return passages.flatMap((passage) => findingsInPassage(file, passage));
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
