import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Commands, cli } from '../../../src/commands/cli.ts';

interface Run {
  readonly exitCode: number;
  /** The roots that `enter` was called with. */
  readonly entered: readonly string[];
  readonly called: readonly unknown[];
  readonly out: string;
  readonly error: string;
}

async function run(...args: readonly string[]): Promise<Run> {
  const called: unknown[] = [];
  const entered: string[] = [];
  const record = (name: string) => async (options?: unknown) => {
    called.push([name, options]);
    return 7;
  };
  const names = [
    ...['run', 'plan', 'apply', 'status', 'doctor', 'config', 'version', 'stamp', 'hold'],
    ...['turn', 'orderTurn', 'forgetNode', 'leave', 'kubeconfig', 'backup', 'listBackups'],
    ...['install', 'uninstall', 'killK3s', 'uninstallK3s', 'restore', 'database'],
  ];
  const recorded = Object.fromEntries(names.map((name) => [name, record(name)]));
  const enter = async (root: string) => void entered.push(root);
  const commands = { ...recorded, enter } as unknown as Commands;
  const said = { out: '', error: '' };
  const exitCode = await cli(args, commands, {
    out: (text) => {
      said.out += text;
    },
    error: (text) => {
      said.error += text;
    },
  });
  return { exitCode, entered, called, ...said };
}

const plain = { root: '/', config: undefined, facts: undefined, settings: [] };
const planned = { ...plain, output: 'table', against: undefined };

describe('the command line', () => {
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
      ['apply', { ...plain, timeout: 120_000, restart: false }],
    ],
    [['apply'], ['apply', { ...plain, timeout: 900_000, restart: false }]],
    [['backup'], ['backup', { ...plain, timeout: 3_600_000 }]],
    [
      ['backup', 'list', '--all', '-o', 'json', '--root', '/mnt'],
      ['listBackups', { ...plain, root: '/mnt', output: 'json', all: true }],
    ],
    [
      ['status', '-o', 'json'],
      ['status', { root: '/', output: 'json', watch: false }],
    ],
    [
      ['status', '--watch', '-o', 'yaml'],
      ['status', { root: '/', output: 'yaml', watch: true }],
    ],
    [['config'], ['config', { ...plain, output: 'table' }]],
    [
      ['doctor', '-o', 'json'],
      ['doctor', { ...plain, output: 'json' }],
    ],
    [['hold'], ['hold', { root: '/', reason: '', release: false }]],
    [
      ['hold', 'under', 'investigation', '--root', '/x'],
      ['hold', { root: '/x', reason: 'under investigation', release: false }],
    ],
    [
      ['hold', '--release'],
      ['hold', { root: '/', reason: '', release: true }],
    ],
    [['turn'], ['turn', { root: '/', output: 'table' }]],
    [
      ['turn', '-o', 'json', '--root', '/x'],
      ['turn', { root: '/x', output: 'json' }],
    ],
    [
      ['turn', 'release', 'agent-1', '--root', '/x'],
      ['orderTurn', { root: '/x', order: 'release', about: 'agent-1' }],
    ],
    [
      ['turn', 'continue'],
      ['orderTurn', { root: '/', order: 'continue', about: '' }],
    ],
    [
      ['turn', 'continue', 'upgrade', 'v1.36.4+k3s1'],
      ['orderTurn', { root: '/', order: 'continue', about: 'upgrade v1.36.4+k3s1' }],
    ],
    [
      ['turn', 'now', 'agent-1'],
      ['orderTurn', { root: '/', order: 'now', about: 'agent-1' }],
    ],
    [
      ['node', 'forget', 'agent-1'],
      ['forgetNode', { root: '/', name: 'agent-1', yes: false }],
    ],
    [
      ['node', 'forget', 'agent-1', '--yes', '--root', '/x'],
      ['forgetNode', { root: '/x', name: 'agent-1', yes: true }],
    ],
    [['leave'], ['leave', { ...plain, yes: false }]],
    [
      ['leave', '--yes', '--root', '/x'],
      ['leave', { ...plain, root: '/x', yes: true }],
    ],
    [['kubeconfig'], ['kubeconfig', { ...plain, server: undefined, output: undefined }]],
    [
      ['kubeconfig', '--server', '203.0.113.5', '-o', 'a/../admin.yaml', '--root', '/x'],
      ['kubeconfig', { ...plain, root: '/x', server: '203.0.113.5', output: resolve('admin.yaml') }],
    ],
    [
      ['kubeconfig', '--output', '-', '--set', 'k3s.upgrade=auto'],
      [
        'kubeconfig',
        {
          ...plain,
          settings: [{ option: '--set k3s.upgrade', path: 'k3s.upgrade', value: 'auto' }],
          server: undefined,
          output: '-',
        },
      ],
    ],
    [['version'], ['version', undefined]],
    [
      ['restore', '--from', '/backup/a.db'],
      [
        'restore',
        { ...plain, from: '/backup/a.db', reset: false, otherCluster: undefined, plan: false, yes: false },
      ],
    ],
    [
      ['restore'],
      [
        'restore',
        { ...plain, from: undefined, reset: false, otherCluster: undefined, plan: false, yes: false },
      ],
    ],
    [
      ['restore', '--from', '20261130T120000Z-vm-1', '--other-cluster', '0123456789ab'],
      [
        'restore',
        {
          ...plain,
          ...{ from: '20261130T120000Z-vm-1', otherCluster: '0123456789ab', plan: false, yes: false },
          reset: false,
        },
      ],
    ],
    [
      ['restore', '--reset', '--plan'],
      [
        'restore',
        { ...plain, from: undefined, reset: true, otherCluster: undefined, plan: true, yes: false },
      ],
    ],
    [
      ['restore', '--from', 'a.db', '--plan', '--yes'],
      [
        'restore',
        { ...plain, from: resolve('a.db'), reset: false, otherCluster: undefined, plan: true, yes: true },
      ],
    ],
    [
      ['database', '{}'],
      ['database', '{}'],
    ],
    [
      ['stamp', '--root', '/x'],
      ['stamp', { ...plain, root: '/x' }],
    ],
    [
      ['install', '--root', 'image/.'],
      ['install', { root: resolve('image') }],
    ],
    [['uninstall'], ['uninstall', { root: '/', dryRun: false, purge: false, k3s: false, nat: false }]],
    [
      ['uninstall', '--k3s', '--purge', '--dry-run'],
      ['uninstall', { root: '/', dryRun: true, purge: true, k3s: true, nat: false }],
    ],
    [['k3s-killall'], ['killK3s', { root: '/', dryRun: false }]],
    [
      ['k3s-uninstall', '--root', '/x', '--dry-run'],
      ['uninstallK3s', { root: '/x', dryRun: true }],
    ],
  ] as const)(
    'calls the command with its options, and returns the exit code of the command: %j',
    async (args, expected) => {
      const { called, exitCode } = await run(...args);
      expect(called).toEqual([expected]);
      expect(exitCode).toBe(7);
    },
  );
});

test('options such as --role and --log-level become settings that override those of --set', async () => {
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

describe('the error for an invalid command line', () => {
  test.each([
    [['plann'], 'plann: is not a command; did you mean plan? slipway --help lists what there is.'],
    [['help', 'plann'], 'plann: is not a command; did you mean plan? slipway --help lists what there is.'],
    [['hunter2 '], 'the first word: is not a command; slipway --help lists what there is.'],
    [
      ['plan', '--rol', 'agent'],
      '--rol: is not an option of slipway plan; did you mean --role? slipway plan --help lists what there is.',
    ],
    [
      ['plan', '--token=hunter2'],
      '--token: is not an option of slipway plan; slipway plan --help lists what there is.',
    ],
    [['plan', '-xhunter2'], '-x: is not an option of slipway plan; slipway plan --help lists what there is.'],
    [
      ['install', '--set', 'a=hunter2'],
      '--set: is not an option of slipway install; slipway install --help lists what there is.',
    ],
    [['status', '--watch=hunter2'], '--watch: takes no value; write --watch alone.'],
    [['plan', '--config'], '--config: lacks its value; write --config <file>.'],
    [['plan', '--config', ''], '--config: is empty; write --config <file>, or leave it out.'],
    [['kubeconfig', '-o', ''], '--output: is empty; write --output <file>, or leave it out.'],
    [['uninstall', '--root', ''], '--root: is empty; write --root <dir>, or leave it out.'],
    [
      ['plan', 'hunter2'],
      'plan: takes options only; remove the bare word, or put its option before it. slipway plan --help lists what there is.',
    ],
    [['apply', '--timeout', 'hunter2'], '--timeout: must be a number of minutes above zero, such as 15.'],
    [['status', '-o', 'hunter2'], '--output: must be table, json or yaml.'],
    [['turn', 'relase', 'a'], 'turn: takes release, continue, now; did you mean release?'],
    [['turn', 'hunter2'], 'turn: takes release, continue, now.'],
    [['turn', 'now'], 'turn now: lacks the name of a node; write slipway turn now NODE.'],
    [['node'], 'node: takes forget NAME.'],
    [['node', 'forgte', 'a'], 'node: takes forget NAME; did you mean forget?'],
    [['node', 'forget'], 'node forget: lacks the name of a node; write slipway node forget NODE.'],
    [['plan', '-o', 'jsno'], '--output: must be table or json; did you mean json?'],
    [['plan', '--set', 'k3s'], '--set: takes path=value, such as --set k3s.upgrade=auto.'],
    [
      ['plan', '--set', 'k3s.upgrade=[hunter2'],
      '--set k3s.upgrade: its value is not YAML: line 1, column 9: something is missing before this: a closing quote or bracket, a comma, a space, or the : of a key',
    ],
  ] as const)('names the fault and the repair, and quotes no value: %j', async (args, message) => {
    const error = await run(...args).then(
      () => expect.fail(),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ reason: 'InvalidSettings', message: `command line ${message}` });
  });
});

test('a command line without a command prints the help as an error', async () => {
  const { exitCode, out, error } = await run();
  expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' });
  expect(error).toMatch(/^Usage: slipway/);
});

test.each([
  [['plan'], ['/']],
  [['uninstall', '--root', 'a'], [resolve('a')]],
  [['version'], []],
] as const)('the command line %j calls enter() with the roots %j', async (args, roots) => {
  expect((await run(...args)).entered).toEqual(roots);
});

test.each(['run', 'plan', 'apply', 'status', 'doctor', 'config', 'install', 'uninstall', 'version'])(
  'slipway %s --help prints the help and exits with 0',
  async (command) => {
    const { exitCode, out } = await run(command, '--help');
    expect(exitCode).toBe(0);
    expect(out).toContain(`slipway ${command}`);
  },
);

test.each(['stamp', 'k3s-killall', 'k3s-uninstall'])(
  'slipway --help does not list the internal command %s',
  async (name) => {
    expect((await run('--help')).out).not.toContain(name);
  },
);
