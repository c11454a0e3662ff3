import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { executable, runProgram } from './executable.ts';

const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));

test.each([['version'], ['--version']])('slipway %s prints the version of package.json', (command) => {
  const ended = runProgram(executable(), [command]);
  expect(ended).toEqual({ exitCode: 0, stdout: expect.stringContaining(`slipway ${version} (`), stderr: '' });
});

test('slipway refuses an unknown command, and the error names the command', () => {
  const ended = runProgram(executable(), ['lunch']);
  expect(ended.exitCode).not.toBe(0);
  expect(ended.stderr).toContain('lunch');
});
