import { type CST, Lexer, Parser } from 'yaml';

/** Characters; handwritten settings have some thousands. */
const longest = 1_048_576;
/** Nested lists and maps; K3s and Slipway know about ten. */
const deepest = 64;
/** Keys, values, signs, blanks and comments: some 4,000 lines. The library compares every two keys of a map. */
const mostParts = 30_000;

/** A bound that a text exceeds: the first character too many, and the repair. */
export interface Excess {
  readonly at: number;
  readonly text: string;
}

/**
 * Cuts a YAML text into the tokens that the library composes a document from, or returns the first place where the text
 * exceeds a bound on its length, nesting or number of parts.
 *
 * The bounds are checked before anything is composed, because the library takes seconds and hundreds of megabytes to
 * compose 100 kB of brackets.
 */
export function boundedTokens(content: string): { readonly tokens: readonly CST.Token[] } | Excess {
  if (content.length > longest) {
    return { at: 0, text: 'the text is longer than 1 MiB; keep settings alone in it' };
  }
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let parts = 0;
  for (const lexeme of new Lexer().lex(content)) {
    // The generator lexes only as far as it is read.
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
