import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { canRun } from '../../../src/launcher/can-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-can-run-'));
afterAll(() => rmSync(folder, { recursive: true }));
const trace = join(folder, 'trace');

function written(name: string, content: string, mode: number): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode });
  return path;
}

test('canRun returns true for an executable that prints the expected answer to the argument version', () => {
  expect(canRun('/bin/echo', {}, 'version\n')).toBe(true);
});

test.each([
  ['an executable that prints a different answer', () => '/bin/echo', 'slipway 0.1.0\n'],
  ['an executable that fails', () => '/bin/false', ''],
  ['a missing file', () => join(folder, 'missing'), ''],
  ['a folder', () => folder, ''],
  ['a file without permission to be executed', () => written('data', '\x7fELF', 0o644), ''],
  ['a file in a format that the kernel does not run', () => written('foreign', '\x7fELF\x02', 0o755), ''],
])('canRun returns false for %s', (_, path, answer) => {
  expect(canRun(path(), {}, answer)).toBe(false);
});

test('canRun does not let the C library run a file of a foreign format as a shell script', () => {
  const path = written('script', `touch ${trace}\nprintf 'slipway\\n'\n`, 0o755);
  expect(canRun(path, {}, 'slipway\n')).toBe(false);
  expect(existsSync(trace)).toBe(false);
});

test('canRun executes the file in only the given environment', () => {
  written('version', '#!/bin/sh\necho "$GIVEN,$SLIPWAY_OWN"\n', 0o755);
  process.env.SLIPWAY_OWN = 'own';
  try {
    // env(1) executes the program that its argument names: `version`, from PATH.
    expect(canRun('/usr/bin/env', { PATH: folder, GIVEN: 'given' }, 'given,\n')).toBe(true);
  } finally {
    delete process.env.SLIPWAY_OWN;
  }
});
