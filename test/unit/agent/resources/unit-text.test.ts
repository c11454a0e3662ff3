import { expect, test } from 'vitest';
import { assigned, unitLines, unitWords } from '../../../../src/agent/resources/unit-text.ts';

const text = `[Service]
# ExecStart=/bin/no
ExecStart=/usr/local/bin/k3s \\
    server \\
; a comment between
\t'--tls-san' \\

Environment="A=b c" D=e
`;

test('unitLines joins continuation lines, skips comments, and returns the line number of each assignment', () => {
  expect(unitLines(text).map(({ key, line }) => [key, line])).toEqual([
    ['ExecStart', 3],
    ['Environment', 8],
  ]);
  expect(unitWords(unitLines(text)[0]?.value ?? '')).toEqual(['/usr/local/bin/k3s', 'server', '--tls-san']);
});

test('assigned omits the assignments before an empty one', () => {
  const lines = unitLines('ExecStart=a\nExecStart=\nExecStart=b\n');
  expect(assigned(lines, 'ExecStart').map(({ value }) => value)).toEqual(['b']);
});

test.each([
  [`"a b" c`, ['a b', 'c']],
  [`--x='1 2'`, ['--x=1 2']],
  [String.raw`a\ b "q\"q"`, ['a b', 'q"q']],
  ['50%% $$HOME', ['50%', '$HOME']],
  ['', []],
])('unitWords splits a value into words: %j', (value, expected) => {
  expect(unitWords(value)).toEqual(expected);
});
