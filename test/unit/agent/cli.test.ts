import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Commands, cli } from '../../../src/agent/cli.ts';

interface Run {
  readonly exitCode: number;
  readonly called: readonly unknown[];
  readonly out: string;
  readonly error: string;
}

async function run(...args: readonly string[]): Promise<Run> {
  const called: unknown[] = [];
  const record = (name: string) => async (options?: unknown) => {
    called.push([name, options]);
    return 7;
  };
  const names = [
    ...['run', 'plan', 'apply', 'status', 'doctor', 'config', 'version', 'stamp'],
    ...['install', 'uninstall', 'killK3s', 'uninstallK3s'],
  ];
  const commands = Object.fromEntries(names.map((name) => [name, record(name)])) as unknown as Commands;
  const said = { out: '', error: '' };
  const exitCode = await cli(args, commands, {
    out: (text) => {
      said.out += text;
    },
    error: (text) => {
      said.error += text;
    },
  });
  return { exitCode, called, ...said };
}

const plain = { root: '/', config: undefined, facts: undefined, settings: [] };
const planned = { ...plain, output: 'table', against: undefined };

describe('commands', () => {
  test.each([
    [['run'], ['run', plain]],
    [
      ['run', '--dry-run'],
      ['plan', planned],
    ],
    [
      ['plan', '--root', '/tmp/x'],
      ['plan', { ...planned, root: '/tmp/x' }],
    ],
    [
      ['plan', '--root', 'lab/../x', '--config', 'c.yaml'],
      ['plan', { ...planned, root: resolve('x'), config: resolve('c.yaml') }],
    ],
    [
      ['plan', '-o', 'json', '--against', 'c.yaml'],
      ['plan', { ...planned, output: 'json', against: resolve('c.yaml') }],
    ],
    [
      ['apply', '--timeout', '2'],
      ['apply', { ...plain, timeout: 120_000 }],
    ],
    [['apply'], ['apply', { ...plain, timeout: 900_000 }]],
    [
      ['status', '-o', 'json'],
      ['status', { ...plain, output: 'json', watch: false }],
    ],
    [
      ['status', '--watch', '-o', 'yaml'],
      ['status', { ...plain, output: 'yaml', watch: true }],
    ],
    [['config'], ['config', { ...plain, output: 'table' }]],
    [
      ['doctor', '-o', 'json'],
      ['doctor', { ...plain, output: 'json' }],
    ],
    [['version'], ['version', undefined]],
    [
      ['stamp', '--root', '/x'],
      ['stamp', { ...plain, root: '/x' }],
    ],
    [
      ['install', '--root', 'image/.'],
      ['install', { root: resolve('image') }],
    ],
    [['uninstall'], ['uninstall', { root: '/', dryRun: false, purge: false, k3s: false }]],
    [
      ['uninstall', '--k3s', '--purge', '--dry-run'],
      ['uninstall', { root: '/', dryRun: true, purge: true, k3s: true }],
    ],
    [['k3s-killall'], ['killK3s', { root: '/', dryRun: false }]],
    [
      ['k3s-uninstall', '--root', '/x', '--dry-run'],
      ['uninstallK3s', { root: '/x', dryRun: true }],
    ],
  ] as const)('%j', async (args, expected) => {
    const { called, exitCode } = await run(...args);
    expect(called).toEqual([expected]);
    expect(exitCode).toBe(7);
  });
});

test('options that stand for a setting carry its path, and win over --set', async () => {
  const { called } = await run(
    'plan',
    '--set',
    'k3s.upgrade=auto',
    '--role',
    'agent',
    '--log-level',
    'debug',
    '--set',
    'registries.servers=[a.io, b.io]',
    '--set',
    'joinToken.attempts=3',
  );
  expect(called).toEqual([
    [
      'plan',
      {
        ...planned,
        settings: [
          { option: '--set k3s.upgrade', path: 'k3s.upgrade', value: 'auto' },
          { option: '--set registries.servers', path: 'registries.servers', value: ['a.io', 'b.io'] },
          { option: '--set joinToken.attempts', path: 'joinToken.attempts', value: 3 },
          { option: '--role', path: 'role', value: 'agent' },
          { option: '--log-level', path: 'log.level', value: 'debug' },
        ],
      },
    ],
  ]);
});

describe('what is wrong is told with what to do, and exits 1', () => {
  test.each([
    [['plann'], /unknown command 'plann'/],
    [['plan', '--rol', 'agent'], /unknown option '--rol'/],
    [['apply', '--timeout', 'soon'], /number of minutes/],
    [['status', '-o', 'xml'], /table, json/],
    [['plan', 'extra'], /too many arguments/],
    [['install', '--set', 'a=b'], /unknown option '--set'/],
  ] as const)('%j', async (args, message) => {
    const { exitCode, error, called } = await run(...args);
    expect(error).toMatch(message);
    expect(error).toContain('--help');
    expect(exitCode).toBe(1);
    expect(called).toEqual([]);
  });
});

test.each([
  [['plan', '--set', 'k3s'], /--set: takes path=value/],
  [['plan', '--set', 'k3s.upgrade=[hunter2'], /--set k3s\.upgrade: its value is no YAML: line 1/],
] as const)('%j is refused, and what was written is not quoted', async (args, message) => {
  const error: Error = await run(...args).then(
    () => expect.fail(),
    (thrown) => thrown,
  );
  expect(error.message).toMatch(message);
  expect(error.message).not.toContain('hunter2');
});

test.each(['run', 'plan', 'apply', 'status', 'doctor', 'config', 'install', 'uninstall', 'version'])(
  '%s --help exits 0',
  async (command) => {
    const { exitCode, out } = await run(command, '--help');
    expect(exitCode).toBe(0);
    expect(out).toContain(`slipway ${command}`);
  },
);

test.each(['stamp', 'k3s-killall', 'k3s-uninstall'])(
  'the internal command %s is not listed',
  async (name) => {
    expect((await run('--help')).out).not.toContain(name);
  },
);
