import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { commandLine } from '../../../packaging/command-line.ts';
import { completions } from '../../../packaging/completions.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-completions-'));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'a folder'));
writeFileSync(join(folder, 'a file'), '');

const names = commandLine().map(({ name }) => name);

describe('bash', () => {
  test.each<[words: string, found: readonly string[]]>([
    ['', [...names, '--help']],
    ['p', ['plan']],
    ['status --out', ['--output']],
    ['status -o ', ['table', 'json']],
    ['status --root / --output j', ['json']],
    ['run --dry', ['--dry-run']],
    ['plan --dry', []],
    ['plan --config a', ['a file', 'a folder']],
    ['plan --root a', ['a folder']],
    ['plan --server ', []],
    ['version --', ['--help']],
    ['unknown --', []],
  ])('offers the matching commands, options, values and paths after: slipway %s', (words, found) => {
    expect(complete(words).toSorted()).toEqual([...found].toSorted());
  });
});

test.each(['bash', 'zsh', 'fish'] as const)('%s completes every command except the hidden ones', (shell) => {
  const text = completions[shell]();
  for (const name of names) {
    expect(text).toMatch(new RegExp(`\\b${name}\\b`));
  }
  expect(text).not.toMatch(/\bstamp\b/);
});

test.for(['bash', 'zsh', 'fish'] as const)(
  '%s parses its completions without an error',
  (shell, { skip }) => {
    skip(spawnSync(shell, ['--version']).error !== undefined, `needs ${shell}`);
    const file = join(folder, `slipway.${shell}`);
    writeFileSync(file, completions[shell]());
    expect(spawnSync(shell, ['-n', file], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
  },
);

/** Returns the completions that bash offers for the words after `slipway`. */
function complete(words: string): readonly string[] {
  const typed = ['slipway', ...words.split(' ')];
  const script = `${completions.bash()}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_slipway
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...typed], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}
