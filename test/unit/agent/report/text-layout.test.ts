import { expect, test } from 'vitest';
import { age, columns, shortened, wrapped } from '../../../../src/agent/report/text-layout.ts';

test.each([
  [0, '0s'],
  [59_400, '59s'],
  [61_000, '1m1s'],
  [3_600_000, '1h0m'],
  [90_000_000, '1d1h'],
])('age displays %i ms as %s', (milliseconds, text) => {
  expect(age(milliseconds)).toBe(text);
});

test('columns makes each column as wide as its longest cell, without trailing spaces', () => {
  expect(
    columns([
      ['A', 'B'],
      ['long', ''],
      ['', 'x'],
    ]),
  ).toEqual(['A     B', 'long', '      x']);
});

test('wrapped keeps words whole, and puts a word that is too long for a line on a separate line', () => {
  expect(wrapped('one two  three-and-more four', 9, '  ')).toEqual([
    '  one two',
    '  three-and-more',
    '  four',
  ]);
  expect(wrapped('', 9, '  ')).toEqual([]);
});

test('shortened truncates text that is too long, and ends it with an ellipsis', () => {
  expect(shortened('12345', 5)).toBe('12345');
  expect(shortened('123456', 5)).toBe('1234…');
});
