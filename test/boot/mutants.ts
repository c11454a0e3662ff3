/**
 * Shows that each scenario can fail: applies each patch in test/boot/mutants to a copy of the project, and runs the
 * scenario with the patch's number in that copy. The test named in the patch's first line must fail.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');
const patches = join(import.meta.dirname, 'mutants');

/** The files and folders that are required to package and boot a copy. */
const parts = ['src', 'packaging', 'systemd', 'test', 'docs', 'package.json', 'package-lock.json'];
const settings = [
  'tsconfig.json',
  'esbuild.config.mjs',
  'vitest.config.ts',
  'LICENSE',
  'CHANGELOG.md',
  'README.md',
];

export interface Mutants {
  /** Selects the patches whose names contain at least one of these words; an empty list selects all patches. */
  readonly words: readonly string[];
  /** The number of mutants to try at the same time. */
  readonly jobs: number;
}

/**
 * Tries mutants and prints each result. Resolves to the names of the survivors: the mutants that the test named
 * in their patch did not catch.
 */
export async function survivors({ words, jobs }: Mutants): Promise<readonly string[]> {
  const names = readdirSync(patches)
    .filter((name) => name.endsWith('.patch'))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  const alive: string[] = [];
  const worker = async () => {
    for (let name = names.shift(); name && !process.exitCode; name = names.shift()) {
      const { caught, by } = await tried(name);
      process.stdout.write(`${caught ? 'caught  ' : 'SURVIVED'}  ${name}: ${by || 'nothing failed'}\n`);
      if (!caught) {
        alive.push(name);
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return alive;
}

/**
 * Tries a patch. Resolves to whether the test named in its first line failed (`caught`), and to a summary of all
 * failures (`by`). Rejects if the scenario does not run to its end.
 */
async function tried(patch: string): Promise<{ readonly caught: boolean; readonly by: string }> {
  const copy = mkdtempSync(join(tmpdir(), 'slipway-mutant-'));
  try {
    for (const part of [...parts, ...settings]) {
      cpSync(join(repository, part), join(copy, part), { recursive: true });
    }
    shareCaches(copy);
    const path = join(patches, patch);
    execFileSync('git', ['apply', path], { cwd: copy, stdio: ['ignore', 'ignore', 'inherit'] });
    const [, guard = 'a first line "Caught by: ..."'] =
      /^Caught by: (.*)/.exec(readFileSync(path, 'utf8')) ?? [];
    const said = await boot(copy, patch.slice(0, 3));
    if (!said.includes('scenarios passed')) {
      throw new Error(`${patch} cannot be tried:\n${said.slice(-2_000)}`);
    }
    const failures = said.split('\n').filter((line) => /^ +(×|→)|^\w*Error:/.test(line));
    return {
      caught: failures.some((line) => line.includes(guard)),
      by: failures.join(' ').slice(0, 300) || said.slice(-500),
    };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Links node_modules and the cached downloads and builds into a copy, since they are the same for every copy. */
function shareCaches(copy: string): void {
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
  const [cache, shared] = [join(copy, 'dist/.cache'), join(repository, 'dist/.cache')];
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(shared).filter((name) => /^(node|boot)-/.test(name))) {
    symlinkSync(join(shared, name), join(cache, name));
  }
}

/** Runs a scenario in the copy; resolves to its output on stdout and stderr, even if the scenario fails. */
async function boot(copy: string, scenario: string): Promise<string> {
  const env = { ...process.env, NO_COLOR: '1', SLIPWAY_EXECUTABLE: undefined };
  const child = spawn(process.execPath, ['test/boot/boot.ts', scenario], { cwd: copy, env });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => (said += chunk));
  }
  const end = () => void child.kill('SIGTERM');
  process.once('SIGINT', end).once('SIGTERM', end);
  await once(child, 'close');
  process.off('SIGINT', end).off('SIGTERM', end);
  return said;
}
