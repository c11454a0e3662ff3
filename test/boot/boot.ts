/**
 * `npm run test:boot -- [--suite bookworm|trixie] [--jobs N] [SCENARIO...]`: real hosts, booted from nothing, each
 * scenario in namespaces of its own for network, mounts and processes: what it made goes when it ends, however it ends.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { isPackaged } from '../lab/executable.ts';
import { missing } from './requirements.ts';
import { rootFileSystem } from './root-file-system.ts';

const repository = join(import.meta.dirname, '../..');
const scenarios = join(import.meta.dirname, 'scenarios');
const results = join(repository, 'dist/test-results');

const { values: options, positionals: wanted } = parseArgs({
  options: {
    suite: { type: 'string', default: 'trixie' },
    jobs: { type: 'string', default: '3' },
  },
  allowPositionals: true,
});

await main();

async function main(): Promise<void> {
  const lacking = missing();
  if (lacking.length > 0) {
    process.stderr.write(`${lacking.join('\n')}\n`);
    process.exit(1);
  }
  if (process.env.SLIPWAY_EXECUTABLE === undefined && !isPackaged())
    execFileSync(process.execPath, ['packaging/package.ts', process.arch], {
      cwd: repository,
      stdio: 'inherit',
    });
  rootFileSystem(options.suite === 'bookworm' ? 'bookworm' : 'trixie');
  mkdirSync(results, { recursive: true });
  const files = readdirSync(scenarios).filter(
    (name) => wanted.length === 0 || wanted.some((each) => name.includes(each)),
  );
  const failed = await runAll(files);
  process.stdout.write(
    `${files.length - failed.length} of ${files.length} scenarios passed${failed.map((name) => `\nfailed: ${name}`).join('')}\n`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** Runs scenarios, some at once; resolves to the names of those that failed. */
async function runAll(files: readonly string[]): Promise<readonly string[]> {
  const waiting = [...files];
  const failed: string[] = [];
  const worker = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      if (!(await runOne(file))) failed.push(file);
    }
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, worker));
  return failed;
}

async function runOne(file: string): Promise<boolean> {
  const name = file.replace(/\.test\.ts$/, '');
  const report = [
    '--reporter=verbose',
    '--reporter=json',
    `--outputFile.json=${join(results, `boot-${name}.json`)}`,
  ];
  const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
  const path = relative(repository, join(scenarios, file));
  const child = spawn(
    'unshare',
    [
      ...['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'],
      ...[process.execPath, vitest, 'run', '--project', 'boot', ...report, path],
    ],
    {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SLIPWAY_BOOT_SUITE: options.suite },
    },
  );
  const said = output(child);
  const [code] = await once(child, 'close');
  process.stdout.write(`\n=== ${name}\n${said()}`);
  return code === 0;
}

function output(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk));
  return () => text;
}
