import { expect, test } from 'vitest';
import { printable, printableData, printableLine } from '../../../../src/agent/engine/printable.ts';

test.each([
  ['an escape sequence', '\u001b[2Jx', '\\u001b[2Jx'],
  ['a C1 control', '\u009b2J', '\\u009b2J'],
  ['a carriage return, a bell and a delete', '\r\u0007\u007f', '\\u000d\\u0007\\u007f'],
  ['text with a reversed direction', '\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
  ['invisible characters', 'a\u200bb\ufeffc\u{e0041}', 'a\\u200bb\\ufeffc\\udb40\\udc41'],
  ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
  ['half of a surrogate pair', '\ud800x', '\\ud800x'],
  ['letters of every script', 'Größe 日本語 🙂', 'Größe 日本語 🙂'],
  ['lines and tabs', 'a\n\tb', 'a\n\tb'],
])('shows %s', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('text on one line cannot begin another line', () => {
  expect(printableLine('a\nslipway: all is fine\t')).toBe('a\\nslipway: all is fine\\t');
});

test('printable JSON has the same value', () => {
  const data = { a: 'x\u202e\u009b\u{e0041}\u2028' };
  expect(JSON.parse(printable(JSON.stringify(data)))).toEqual(data);
});

test('printable data keeps its shape', () => {
  const data = { a: ['\u001b\n', 1, null, undefined, true], '\u009b': { b: 'c' } };
  expect(printableData(data)).toEqual({ a: ['\\u001b ', 1, null, undefined, true], '\\u009b': { b: 'c' } });
});
