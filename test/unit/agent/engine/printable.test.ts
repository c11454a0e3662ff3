import { expect, test } from 'vitest';
import { printable, printableData, printableLine } from '../../../../src/agent/engine/printable.ts';

test.each([
  ['escapes an escape sequence', '\u001b[2Jx', '\\u001b[2Jx'],
  ['escapes a C1 control', '\u009b2J', '\\u009b2J'],
  ['escapes a carriage return, a bell and a delete', '\r\u0007\u007f', '\\u000d\\u0007\\u007f'],
  ['escapes characters that reverse the direction of text', '\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
  ['escapes invisible characters', 'a\u200bb\ufeffc\u{e0041}', 'a\\u200bb\\ufeffc\\udb40\\udc41'],
  ['escapes line and paragraph separators', '\u2028\u2029', '\\u2028\\u2029'],
  ['escapes an unpaired surrogate', '\ud800x', '\\ud800x'],
  ['keeps letters of every script', 'Größe 日本語 🙂', 'Größe 日本語 🙂'],
  ['keeps line feeds and tabs', 'a\n\tb', 'a\n\tb'],
])('printable %s', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('printableLine escapes line feeds and tabs, so no text can begin another line', () => {
  expect(printableLine('a\nslipway: all is fine\t')).toBe('a\\nslipway: all is fine\\t');
});

test('printable changes JSON text without changing the data that it represents', () => {
  const data = { a: 'x\u202e\u009b\u{e0041}\u2028' };
  expect(JSON.parse(printable(JSON.stringify(data)))).toEqual(data);
});

test('printableData makes keys and values printable, and keeps the shape of the data', () => {
  const data = { a: ['\u001b\n', 1, null, undefined, true], '\u009b': { b: 'c' } };
  expect(printableData(data)).toEqual({ a: ['\\u001b ', 1, null, undefined, true], '\\u009b': { b: 'c' } });
});
