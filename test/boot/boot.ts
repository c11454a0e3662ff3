/**
 * `npm run test:boot -- [--suite bookworm|trixie] [--jobs N] [--mutants] [--prepare] [--except WORD] [WORD...]`: boots
 * real hosts from nothing. Each scenario has its own namespaces for network, mounts and processes, so that it leaves
 * nothing behind, even if it is killed. WORDs select the scenarios or mutants whose names contain any of them; --except
 * leaves out the scenarios whose names contain its word. --suite is the Debian release of the hosts, and --jobs the
 * number of scenarios at once. --mutants tries the mutants instead of the scenarios. --prepare only builds the
 * executable and the root file system, if they are out of date.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { isPackaged } from '../lab/executable.ts';
import { removeCgroups } from './cgroups.ts';
import { survivors } from './mutants.ts';
import { missing } from './requirements.ts';
import { rootFileSystem, suites } from './root-file-system.ts';

const repository = join(import.meta.dirname, '../..');
const scenarios = join(import.meta.dirname, 'scenarios');
const results = join(repository, 'dist/test-results');

const { values: options, positionals: words } = parseArgs({
  options: {
    suite: { type: 'string', default: 'trixie' },
    jobs: { type: 'string', default: '6' },
    mutants: { type: 'boolean', default: false },
    prepare: { type: 'boolean', default: false },
    except: { type: 'string' },
  },
  allowPositionals: true,
});

const running = new Set<ChildProcess>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) {
      child.kill('SIGKILL');
    }
    process.exitCode = 1;
  });
}

await main();

async function main(): Promise<void> {
  const wrong = [...misused(), ...missing()];
  if (wrong.length > 0) {
    process.stderr.write(`${wrong.join('\n')}\n`);
    process.exit(1);
  }
  if (process.env.SLIPWAY_EXECUTABLE === undefined && !isPackaged()) {
    packageIt();
  }
  rootFileSystem(options.suite === 'bookworm' ? 'bookworm' : 'trixie');
  if (options.prepare) {
    return;
  }
  const passed = options.mutants ? await tryMutants() : await bootScenarios();
  process.exitCode = passed ? 0 : 1;
}

function misused(): readonly string[] {
  return [
    ...(suites.some((suite) => suite === options.suite) ? [] : [`--suite is one of ${suites.join(', ')}.`]),
    ...(/^[1-9]\d?$/.test(options.jobs) ? [] : ['--jobs is a number from 1 to 99.']),
  ];
}

function packageIt(): void {
  const args = ['packaging/package.ts', '--executable-only', process.arch];
  execFileSync(process.execPath, args, { cwd: repository, stdio: 'inherit' });
}

async function bootScenarios(): Promise<boolean> {
  mkdirSync(results, { recursive: true });
  const files = readdirSync(scenarios)
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .filter((name) => options.except === undefined || !name.includes(options.except));
  const begun = Date.now();
  const failed = await runAll(files);
  const took = Math.round((Date.now() - begun) / 1000);
  say(
    `\n${files.length - failed.length} of ${files.length} scenarios passed on ${options.suite}, in ${took} s`,
  );
  for (const name of failed) {
    say(`failed: ${name}`);
  }
  return files.length > 0 && failed.length === 0;
}

async function tryMutants(): Promise<boolean> {
  const alive = await survivors({ words, jobs: Math.min(Number(options.jobs), 3) });
  say(alive.length === 0 ? 'Every mutant was caught.' : `Not caught by its test: ${alive.join(', ')}`);
  return alive.length === 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs the first boot alone, then the other scenarios, up to `jobs` at once; resolves to the failed scenarios. */
async function runAll(files: readonly string[]): Promise<readonly string[]> {
  const failed: string[] = [];
  const waiting = files.toSorted((a, b) => patience(b) - patience(a));
  // The first boot is timed, so no other scenario may slow it down.
  for (const file of waiting.filter((name) => name.startsWith('01-'))) {
    waiting.splice(waiting.indexOf(file), 1);
    if (!(await runOne(file))) {
      failed.push(file);
    }
  }
  const worker = async () => {
    for (let file = waiting.shift(); file && !process.exitCode; file = waiting.shift()) {
      if (!(await runOne(file))) {
        failed.push(file);
      }
    }
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, worker));
  return failed;
}

/**
 * Returns the rank of a scenario; higher ranks start first. The scenarios that take longest start first, so that none
 * of them runs alone at the end.
 */
function patience(file: string): number {
  const byTime = ['03-', '10-', '06-', '13-', '11-', '04-', '12-', '02-', '14-', '05-', '16-'];
  return byTime.findIndex((start) => file.startsWith(start));
}

/**
 * Runs one scenario in its own namespaces and folder, then removes its folder and cgroups; true if the scenario passed.
 */
async function runOne(file: string): Promise<boolean> {
  const name = file.replace(/\.test\.ts$/, '');
  const dir = mkdtempSync(join(tmpdir(), 'slipway-boot-'));
  const child = spawn('unshare', inNamespaces(...vitest(name, relative(repository, join(scenarios, file)))), {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SLIPWAY_BOOT_SUITE: options.suite, SLIPWAY_BOOT_DIR: dir },
  });
  running.add(child);
  say(`${name} ...`);
  const said = output(child);
  const [code] = await once(child, 'close');
  running.delete(child);
  say(`\n=== ${name}\n${said()}`);
  removeCgroups(basename(dir));
  rmSync(dir, { recursive: true, force: true });
  return code === 0;
}

/**
 * Returns the arguments with which unshare runs `command` in new namespaces; all their processes end when unshare ends.
 */
function inNamespaces(...command: readonly string[]): readonly string[] {
  const kinds = ['--net', '--mount', '--pid', '--propagation', 'private', '--mount-proc'];
  return [...kinds, '--fork', '--kill-child', ...command];
}

function vitest(name: string, file: string): readonly string[] {
  const result = join(results, `boot-${options.suite}-${name}.json`);
  const program = join(repository, 'node_modules/vitest/vitest.mjs');
  const reports = ['--reporter=verbose', '--reporter=json', `--outputFile.json=${result}`];
  return [process.execPath, program, 'run', '--project', 'boot', ...reports, file];
}

function output(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => (text += chunk));
  }
  return () => text;
}
