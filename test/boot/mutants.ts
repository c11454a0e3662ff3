/**
 * Shows that each scenario can fail: applies each patch of test/boot/mutants to a copy of the project, and wants the
 * scenario of the same number red there.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');
const patches = join(import.meta.dirname, 'mutants');

/** What a copy needs to be packaged and booted. */
const parts = ['src', 'packaging', 'systemd', 'test', 'docs', 'package.json', 'package-lock.json'];
const settings = [
  'tsconfig.json',
  'esbuild.config.mjs',
  'vitest.config.ts',
  'LICENSE',
  'CHANGELOG.md',
  'README.md',
];

/** Tries the mutants whose names hold any of these words, or all; resolves to those that no scenario noticed. */
export async function survivors(words: readonly string[]): Promise<readonly string[]> {
  const names = readdirSync(patches)
    .filter((name) => name.endsWith('.patch'))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  const alive: string[] = [];
  for (const name of names) {
    const caught = await isCaught(name);
    process.stdout.write(`${caught ? 'caught  ' : 'SURVIVED'}  ${name}${caught ? `: ${caught}` : ''}\n`);
    if (!caught) alive.push(name);
  }
  return alive;
}

/** The first test that fails with this mutant; empty where none does. */
async function isCaught(patch: string): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'slipway-mutant-'));
  try {
    for (const part of [...parts, ...settings])
      cpSync(join(repository, part), join(copy, part), { recursive: true });
    shareCaches(copy);
    execFileSync('git', ['apply', join(patches, patch)], {
      cwd: copy,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const { code, said } = await boot(copy, patch.slice(0, 3));
    if (!said.includes('scenarios passed'))
      throw new Error(`${patch} cannot be tried:\n${said.slice(-2_000)}`);
    return code === 0 ? '' : (/ × (?:.* > )?(.*)/.exec(said)?.[1] ?? 'the hosts do not get Ready');
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What was downloaded and built for every tree alike. */
function shareCaches(copy: string): void {
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
  const [cache, shared] = [join(copy, 'dist/.cache'), join(repository, 'dist/.cache')];
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(shared).filter((name) => /^(node|boot)-/.test(name)))
    symlinkSync(join(shared, name), join(cache, name));
}

async function boot(
  copy: string,
  scenario: string,
): Promise<{ readonly code: number; readonly said: string }> {
  const env = { ...process.env, NO_COLOR: '1' };
  const child = spawn(process.execPath, ['test/boot/boot.ts', scenario], { cwd: copy, env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const [code] = await once(child, 'close');
  return { code, said };
}
