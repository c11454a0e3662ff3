import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { endOf, rootWith, startSlipway } from './process.ts';

const settings = { cloud: 'static', role: 'agent', static: { computerName: 'vm', address: '127.0.0.1' } };
const full = () => openSync('/dev/full', 'w');

test.each([['plan'], ['config'], ['doctor'], ['version'], ['--help']])(
  'slipway %s exits quietly with 141 if its output is a closed pipe, as after SIGPIPE',
  async (command) => {
    const child = startSlipway(line(command, await rootWith(settings)), ['ignore', 'pipe', 'pipe']);
    child.stdout?.destroy();
    expect(await endOf(noStdout(child))).toEqual({ code: 141, stdout: '', stderr: '' });
  },
);

test.each([['plan'], ['config'], ['--help']])(
  'slipway %s fails with ENOSPC if its output is on a full disk',
  async (command) => {
    const child = startSlipway(line(command, await rootWith(settings)), ['ignore', full(), 'pipe']);
    const { code, stderr } = await endOf(child);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^slipway: .*ENOSPC.*\n$/) });
  },
);

test.each([
  ['a full disk', () => ['ignore', full(), full()] as const],
  ['closed pipes', () => ['ignore', 'pipe', 'pipe'] as const],
])('the daemon keeps running with %s as its output, and removes its lock when it stops', async (_, stdio) => {
  const root = await rootWith({ ...settings, log: { level: 'debug' } });
  const daemon = startSlipway(['run', '--root', root], [...stdio()], { DEBUG: 'ignored with a word' });
  daemon.stdout?.destroy();
  daemon.stderr?.destroy();
  await expect
    .poll(() => existsSync(`${root}/run/slipway/status.json`) || daemon.exitCode, { timeout: 30_000 })
    .toBe(true);
  daemon.kill('SIGTERM');
  expect(await once(daemon, 'exit')).toEqual([0, null]);
  expect(existsSync(`${root}/run/slipway/lock`)).toBe(false);
});

function line(command: string, root: string): readonly string[] {
  return ['version', '--help'].includes(command) ? [command] : [command, '--root', root];
}

/** Makes `endOf` skip the standard output of a process, because the test has closed that output. */
function noStdout(child: ChildProcess): ChildProcess {
  return Object.assign(child, { stdout: null });
}
