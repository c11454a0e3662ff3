import { expect, test } from 'vitest';
import { parseYaml, readK3sYaml, readYaml } from '../../../../src/agent/settings/yaml.ts';

test.each([
  ['a: 1', { a: 1 }],
  ['', null],
  ['a: &x [1]\nb: *x', { a: [1], b: [1] }],
  ['5: five', { '5': 'five' }],
])('readYaml reads %j as %j', (content, value) => {
  expect(readYaml(content)).toEqual({ value, faults: [] });
});

test.each([
  ['*hunter2', 'line 1, column 11: an alias names no anchor'],
  ['&a [*a]', 'line 1, column 15: an alias names no anchor'],
  ['|hunter2', 'line 1, column 12: does not belong here'],
  ['>hunter2', 'line 1, column 12: does not belong here'],
  ['!hunter2!x y', 'line 1, column 11: a tag is not known'],
  ['!hunter2 x', 'line 1, column 11: a tag is not known'],
  ['!<hunter2', 'line 1, column 11: a tag is not known'],
  ['@hunter2', 'line 1, column 11: text cannot begin with this character'],
  ['"hunter2', 'line 1, column 19: something is missing'],
  ['"hun\\qter2"', 'line 1, column 15: '],
  ['{[hunter2]: x}', 'line 1, column 12: a key is not text'],
  ['hunter2: x', 'line 1, column 11: '],
])('readYaml reports the place of the fault in "password: %s", and quotes nothing', (password, beginning) => {
  const { faults } = readYaml(`password: ${password}`);
  expect(faults[0]).toContain(beginning);
  expect(faults.join()).not.toMatch(/hunter2|undefined/);
});

test.each([
  [
    'a NUL character',
    'a: 1\nb: hunter2\u0000\nc: 2',
    'line 2: holds bytes that are not text; save it as UTF-8',
  ],
  ['a replacement character', '\ufffdhunter2', 'line 1: holds bytes that are not text; save it as UTF-8'],
  [
    'more than 1 MiB',
    '#'.repeat(1_048_577),
    'line 1, column 1: the text is longer than 1 MiB; keep settings alone in it',
  ],
])('readYaml refuses %s', (_, content, fault) => {
  expect(readYaml(content)).toEqual({ value: undefined, faults: [fault] });
});

test('readYaml reads a text within the bounds', () => {
  const deep = '['.repeat(62) + ']'.repeat(62);
  const wide = Array.from({ length: 2_000 }, (_, at) => `key${at}: value # why`).join('\n');
  const aliased = `a: &a x\nb: [${'*a,'.repeat(99)}]`;
  for (const content of [deep, wide, aliased]) {
    expect(readYaml(content).faults).toEqual([]);
  }
});

test.each([
  [
    'deeply nested',
    'a: b\nc: '.concat('['.repeat(70)),
    'line 2, column 67: is nested more than 64 levels deep; write it flatter',
  ],
  [
    'long',
    '#'.repeat(1_048_577),
    'line 1, column 1: the text is longer than 1 MiB; keep settings alone in it',
  ],
])('readYaml and parseYaml refuse text that is too %s, and name the place', (_, content, fault) => {
  expect(readYaml(content)).toEqual({ value: undefined, faults: [fault] });
  expect(() => parseYaml(content)).toThrow(fault);
});

test('readYaml refuses the hundredth alias with one fault', () => {
  expect(readYaml(`a: &a hunter2\nb: [${'*a,'.repeat(102)}]`)).toEqual({
    value: undefined,
    faults: ['line 2, column 302: has too many aliases; write their values out'],
  });
});

test('readYaml lists at most 20 faults of one text', () => {
  expect(readYaml('- @x\n'.repeat(30)).faults).toHaveLength(20);
});

test.each(['@hunter2', '|hunter2', '*hunter2', '"hun\\qter2"'])(
  'parseYaml names the line of the fault in "password: %s", and quotes nothing',
  (password) => {
    expect(() => parseYaml(`password: ${password}`)).toThrow(/^line 1, column \d+: (?!.*(?:hunter2|\\q))/s);
  },
);

test('parseYaml returns the data of a text, or throws its first fault', () => {
  expect(parseYaml('a: 1')).toEqual({ a: 1 });
  expect(parseYaml('')).toBeNull();
  expect(() => parseYaml('a: [')).toThrow();
  expect(() => parseYaml('a: 1\n---\nb: 2')).toThrow('a second document begins');
});

test('readYaml refuses a second document and names its place', () => {
  expect(readYaml('a: 1\n---\nb: hunter2\n')).toEqual({
    value: undefined,
    faults: ['line 2, column 1: a second document begins; keep one of the two'],
  });
});

test('readYaml refuses aliases that expand exponentially', () => {
  const levels = Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}]`);
  expect(readYaml(`a0: &a0 [hunter2]\n${levels.join('\n')}`).faults).toEqual([
    expect.stringMatching(/^line \d+, column \d+: has too many aliases/),
  ]);
});

test.each([
  ['the last of two equal keys', 'a: 1\na: 2', { a: 2 }],
  ['the first document', 'a: 1\n---\nb: 2', { a: 1 }],
  ['a text with an unknown tag', 'a: !mine x', { a: 'x' }],
  ['yes as true', 'a: yes', { a: true }],
  ['a date as text', 'a: 2020-01-01', { a: '2020-01-01' }],
  ['a time as text', 'a: 1:30', { a: '1:30' }],
  ['<< as an ordinary key', 'a: &a { b: 1 }\nc: { <<: *a }', { a: { b: 1 }, c: { '<<': { b: 1 } } }],
])('readK3sYaml reads %s, as K3s does', (_, content, value) => {
  expect(readK3sYaml(content, '/c')).toEqual({ value, faults: [] });
});

test.each(['a: [', 'a: @b'])('readK3sYaml finds a fault in %s, as K3s does', (content) => {
  expect(readK3sYaml(content, '/c').faults).not.toEqual([]);
});
