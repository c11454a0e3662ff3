import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { executable } from './executable.ts';

test.each([
  ['with only a PATH', {}],
  ['with NODE_OPTIONS that request a debugger', { NODE_OPTIONS: '--inspect=127.0.0.1:0 --inspect-port=0' }],
])(
  'the daemon opens no port on SIGUSR1, and survives SIGUSR1, SIGUSR2 and SIGPIPE: %s',
  async (_, variables) => {
    const daemon = await startDaemon(variables);
    expect(listeningPorts(daemon)).toEqual([]);
    for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const) {
      daemon.kill(signal);
    }
    await setTimeout(1_000);
    expect([daemon.exitCode, daemon.signalCode, listeningPorts(daemon)]).toEqual([null, null, []]);
  },
);

// Node opens a debugger port on SIGUSR1 unless the process has a handler. Commands never set a handler, and a daemon
// has not yet set its handler when it starts.
test('a command without a handler opens no port on SIGUSR1', async () => {
  const args = ['status', '--watch', '--root', rootFolder()];
  const child = spawn(executable(), args, { env: {}, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stderr, 'data');
  child.kill('SIGUSR1');
  for (let look = 0; look < 20; look += 1) {
    expect(listeningPorts(child)).toEqual([]);
    await setTimeout(50);
  }
});

test('SIGQUIT stops the daemon, which leaves no core file', async () => {
  const daemon = await startDaemon({});
  daemon.kill('SIGQUIT');
  expect(await once(daemon, 'exit')).toEqual([0, null]);
});

async function startDaemon(variables: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const root = rootFolder();
  const env = { PATH: process.env.PATH, ...variables };
  const child = spawn(executable(), ['run', '--root', root], { env, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await expect.poll(() => existsSync(join(root, 'run/slipway/status.json')), { timeout: 30_000 }).toBe(true);
  return child;
}

/**
 * Creates the root directory of a VM whose metadata service is unreachable, so that the daemon does nothing; returns
 * the path of the directory.
 */
function rootFolder(): string {
  const root = mkdtempSync(join(tmpdir(), 'slipway-signals-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'etc/slipway'), { recursive: true });
  writeFileSync(join(root, 'etc/slipway/config.yaml'), 'azure: { imdsEndpoint: http://127.0.0.1:9 }\n');
  return root;
}

/**
 * Returns the TCP ports on which a process listens (proc(5): /proc/PID/net/tcp, state 0A); an empty list if the process
 * has ended.
 */
function listeningPorts({ pid }: ChildProcess): readonly number[] {
  try {
    const own = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkAt(`/proc/${pid}/fd/${fd}`));
    const tables = ['tcp', 'tcp6'].flatMap((table) =>
      readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n'),
    );
    const rows = tables.map((row) => row.trim().split(/\s+/));
    return rows
      .filter(([, , , state, , , , , , inode]) => state === '0A' && own.includes(`socket:[${inode}]`))
      .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16));
  } catch {
    return [];
  }
}

function linkAt(path: string): readonly string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}
