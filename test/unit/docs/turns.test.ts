import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The files whose texts `slipway turn` shows in the column STATE. */
const sources = ['obstacles', 'skew', 'turns-text'].map((name) =>
  readFileSync(`src/agent/parts/maintenance/turn/${name}.ts`, 'utf8'),
);

/** Replaces each value in a text, whether it is written as `${code}`, as a word in capitals or as a number. */
function pattern(text: string): string {
  return text.replaceAll(/\$\{[^}]+\}|\b[A-Z]{4,}\b|\d+/g, '…');
}

/** Returns the states in the sources: their string literals that continue a sentence about a node. */
function states(): readonly string[] {
  const literal = /(['`])((?:waits|is|does|failed|left|wants|may|has|was)[ :].*?)\1/g;
  const found = sources.flatMap((text) =>
    [...text.matchAll(literal)].map(([, , state = '']) => pattern(state)),
  );
  return [...new Set(found)].sort();
}

test('the page about turns explains every state that slipway turn shows', () => {
  const page = readFileSync('docs/usage/turns.md', 'utf8');
  const explained = [...page.matchAll(/^ {3}\| `(.+?)` \|/gm)].map(([, state = '']) => pattern(state));
  expect(explained.toSorted()).toEqual(states());
});
