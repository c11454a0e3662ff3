import { expect, test } from 'vitest';
import { printable, printableData, printableLine } from '../../../../src/agent/engine/printable.ts';

test.each([
  ['an escape sequence', '\u001b[2Jx', '\\u001b[2Jx'],
  ['a C1 control', '\u009b2J', '\\u009b2J'],
  ['a carriage return, a bell and a delete', '\r\u0007\u007f', '\\u000d\\u0007\\u007f'],
  ['text that is turned around', '\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
  ['what cannot be seen', 'a\u200bb\ufeffc\u{e0041}', 'a\\u200bb\\ufeffc\\udb40\\udc41'],
  ['line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
  ['half of a pair', '\ud800x', '\\ud800x'],
  ['letters of every script', 'Größe 日本語 🙂', 'Größe 日本語 🙂'],
  ['lines and tabs', 'a\n\tb', 'a\n\tb'],
])('shows %s', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('on one line, no text begins a line of its own', () => {
  expect(printableLine('a\nslipway: all is well\t')).toBe('a\\nslipway: all is well\\t');
});

test('JSON says the same as before', () => {
  const data = { a: 'x\u202e\u009b\u{e0041}\u2028' };
  expect(JSON.parse(printable(JSON.stringify(data)))).toEqual(data);
});

test('data keeps its shape', () => {
  const data = { a: ['\u001b\n', 1, null, undefined, true], '\u009b': { b: 'c' } };
  expect(printableData(data)).toEqual({ a: ['\\u001b ', 1, null, undefined, true], '\\u009b': { b: 'c' } });
});
