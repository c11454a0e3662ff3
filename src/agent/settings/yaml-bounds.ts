import { type CST, Lexer, Parser } from 'yaml';

/** The most characters of a text; handwritten settings have a few thousand. */
const longest = 1_048_576;
/** The deepest nesting of lists and maps; K3s and Slipway use about ten levels. */
const deepest = 64;
/**
 * The most tokens of a text: keys, values, punctuation, blanks and comments. The bound allows about 4,000 lines. It
 * matters because the YAML library compares each key of a map with every other.
 */
const mostParts = 30_000;

/** The position where a text exceeds a bound, and a message with the repair. */
export interface Excess {
  readonly at: number;
  readonly text: string;
}

/**
 * Returns the tokens of a YAML text, from which the library composes a document, or the first position where the text
 * exceeds a bound on its length, nesting or number of parts.
 *
 * Checks the bounds before anything is composed, because the library takes seconds and hundreds of megabytes to compose
 * 100 kB of brackets.
 */
export function boundedTokens(content: string): { readonly tokens: readonly CST.Token[] } | Excess {
  if (content.length > longest) {
    return { at: 0, text: 'the text is longer than 1 MiB; keep settings alone in it' };
  }
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let parts = 0;
  for (const lexeme of new Lexer().lex(content)) {
    // The loop ends before the rest of an oversized text is lexed.
    tokens.push(...parser.next(lexeme));
    parts += 1;
    if (parts > mostParts) {
      return { at: parser.offset, text: tooMany };
    }
    if (parser.stack.length > deepest) {
      return { at: parser.offset, text: tooDeep };
    }
  }
  return { tokens: [...tokens, ...parser.end()] };
}

const tooMany = `more than ${mostParts} keys, values and signs end here; remove what is not needed`;
const tooDeep = `is nested more than ${deepest} levels deep; write it flatter`;
