import { describe, expect, test } from 'vitest';
import { subjectFaults } from './commit-subject.ts';
import { findingsIn } from './findings.ts';
import { phrases } from './phrases.ts';

describe('each phrase', () => {
  test.each(phrases)(
    'is found in the example $wrong, but not in the correction $right',
    ({ wrong, right, instead }) => {
      expect(findingsIn('page.md', wrong)).toContainEqual(expect.objectContaining({ instead }));
      expect(findingsIn('page.md', right)).toEqual([]);
    },
  );
});

describe('findingsIn finds a phrase', () => {
  const places = (file: string, lines: readonly string[]) =>
    findingsIn(file, lines.join('\n')).map(({ place }) => place);

  test('in a doc comment, over a line break', () => {
    expect(
      places('a.ts', [
        'const a = 1;',
        '/**',
        ' * Returns the first; an empty text where',
        ' * it is left out.',
        ' */',
      ]),
    ).toEqual(['a.ts:3']);
  });

  test('in a comment after code', () => {
    expect(places('a.ts', ['run(); // for whoever waits there'])).toEqual(['a.ts:1']);
  });

  test('in a title and in a message', () => {
    expect(
      places('a.ts', ["test('nobody is there', () => {", '  throw new Error(`It is no directory`);']),
    ).toEqual(['a.ts:1', 'a.ts:2']);
  });

  test('in a paragraph and in a row of a table', () => {
    expect(places('a.md', ['Text.', '', 'The rest', 'is told.', '', '| a | nobody |'])).toEqual([
      'a.md:3',
      'a.md:6',
    ]);
  });
});

test('findingsIn ignores code in a page and in a source', () => {
  expect(findingsIn('a.md', 'Run `nobody`:\n\n```\nnobody is told\n```\n')).toEqual([]);
  expect(findingsIn('a.ts', "const user = 'nobody';\nconst nobody = whoever(where, it);\n")).toEqual([]);
});

describe('subjectFaults', () => {
  test.each([
    'feat(k3s): wait for the server',
    'fix: read the file once',
    'fix(k3s): bring the file back',
    'refactor(parts/registry)!: rename the store',
  ])('accepts "%s"', (subject) => {
    expect(subjectFaults(subject)).toEqual([]);
  });

  test.each([
    ['wait for the server', 'not conventional'],
    ['feature(k3s): wait for the server', 'type is "feature"'],
    ['fix(k3s): wait for the server.', 'full stop'],
    ['fix(k3s): Wait for the server', 'capitalized'],
    ['fix(k3s): added a wait for the server', 'imperative'],
    [`fix(k3s): wait ${'very '.repeat(20)}long`, '72 are allowed'],
  ])('refuses "%s": %s', (subject, fault) => {
    expect(subjectFaults(subject)).toEqual([expect.stringContaining(fault)]);
  });
});

test('findingsIn reports a comment of 121 columns, but not a comment of 120 columns', () => {
  const [wide, narrow] = [`  // ${'x'.repeat(116)}`, ` * ${'x'.repeat(117)}`];
  expect(findingsIn('a.ts', `${wide}\n${narrow}\nrun('${'x'.repeat(200)}');\n`)).toEqual([
    { place: 'a.ts:1', phrase: '121 columns', instead: 'at most 120 columns', context: wide.trim() },
  ]);
});
