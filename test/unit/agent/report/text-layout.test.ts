import { expect, test } from 'vitest';
import { age, columns, shortened, wrapped } from '../../../../src/agent/report/text-layout.ts';

test.each([
  [0, '0s'],
  [59_400, '59s'],
  [61_000, '1m1s'],
  [3_600_000, '1h0m'],
  [90_000_000, '1d1h'],
])('%i ms is %s', (milliseconds, text) => {
  expect(age(milliseconds)).toBe(text);
});

test('columns are as wide as their longest cell, and end without blanks', () => {
  expect(
    columns([
      ['A', 'B'],
      ['long', ''],
      ['', 'x'],
    ]),
  ).toEqual(['A     B', 'long', '      x']);
});

test('words are kept whole, and a longer one has a line of its own', () => {
  expect(wrapped('one two  three-and-more four', 9, '  ')).toEqual([
    '  one two',
    '  three-and-more',
    '  four',
  ]);
  expect(wrapped('', 9, '  ')).toEqual([]);
});

test('text that is too long ends with an ellipsis', () => {
  expect(shortened('12345', 5)).toBe('12345');
  expect(shortened('123456', 5)).toBe('1234…');
});
