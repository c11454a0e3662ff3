import { expect, test } from 'vitest';
import { xmlElements, xmlText } from '../../../../src/agent/stores/xml-text.ts';

test.each<[string, string | undefined]>([
  ['<Error><Code>NoSuchKey</Code></Error>', 'NoSuchKey'],
  ['<Code>a</Code><Code>b</Code>', 'a'],
  ['<Code>&lt;a&gt; &amp;amp; &quot;b&#34; &apos;c&#39;</Code>', '<a> &amp; "b" \'c\''],
  ['<Code></Code>', ''],
  ['<Code />', undefined],
  ['<Code>cut off', undefined],
  ['</Code><Code>', undefined],
  ['', undefined],
])('finds the text of an element in %j', (xml, expected) => {
  expect(xmlText(xml, 'Code')).toBe(expected);
});

test('finds every whole element, and not a cut one', () => {
  expect(xmlElements('<A><B>1</B></A> <A>2</A><A>3', 'A')).toEqual(['<B>1</B>', '2']);
  expect(xmlElements('', 'A')).toEqual([]);
});

test('reads four megabytes of unclosed elements quickly enough for any test', () => {
  expect(xmlElements('<A>'.repeat(1_300_000), 'A')).toEqual([]);
});
