import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runProgram } from './executable.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-package-'));
afterAll(() => rmSync(folder, { recursive: true }));

const architecture = process.arch;

test('two builds of one commit are identical', () => {
  const [first, second] = [build('first'), build('second')];
  expect(digest(second)).toBe(digest(first));
  expect(debianDigests('second')).toEqual(debianDigests('first'));
});

test('a build with --no-strip succeeds, and reports that the executable is not stripped', () => {
  const ended = runPackaging('unstripped', '--no-strip', '--executable-only');
  expect(ended.stdout).toContain('not stripped');
  const path = executableIn('unstripped');
  expect(statSync(path).size).toBeGreaterThan(115e6);
  expect(runProgram(path, ['version'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^slipway /),
  });
});

function build(name: string): string {
  runPackaging(name);
  return executableIn(name);
}

function executableIn(name: string): string {
  return join(folder, name, `slipway-linux-${architecture}`);
}

/**
 * Returns the digests of the Debian packages of a build; an empty list if dpkg-deb was missing, because the build then
 * makes none.
 */
function debianDigests(name: string): readonly string[] {
  const files = readdirSync(join(folder, name)).filter((file) => file.endsWith('.deb'));
  return files.map((file) => digest(join(folder, name, file)));
}

function runPackaging(name: string, ...options: readonly string[]) {
  const args = ['packaging/package.ts', '--out', join(folder, name), ...options, architecture];
  const ended = runProgram(process.execPath, args, { HOME: process.env.HOME ?? '/' });
  expect(ended).toMatchObject({ exitCode: 0 });
  return ended;
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
