import { expect, test } from 'vitest';
import { diagnosisText } from '../../src/agent/doctor/diagnosis-text.ts';
import type { Condition } from '../../src/agent/engine/conditions.ts';
import { inSync, type Resource } from '../../src/agent/engine/resource.ts';
import { type LogTarget, logDestination } from '../../src/agent/host/process/output.ts';
import { notifier } from '../../src/agent/host/systemd/notify.ts';
import { annotate } from '../../src/agent/parts/k3s/node-annotations.ts';
import { createEvents } from '../../src/agent/parts/k3s/node-events.ts';
import { logEvents } from '../../src/agent/report/log.ts';
import { planText } from '../../src/agent/report/plan-text.ts';
import { type Status, writeStatus } from '../../src/agent/report/status.ts';
import { statusText } from '../../src/agent/report/status-text.ts';
import { invalidSettings } from '../../src/agent/settings/problems.ts';
import { memoryHost } from '../lab/memory-host.ts';
import { aCluster } from '../unit/agent/a-cluster.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { endOf, rootWith, startSlipway } from './process.ts';

/**
 * Text that clears the screen, retitles the window, reverses the text direction, and begins a line that looks like
 * Slipway's.
 */
const evil = 'x\u001b[2J\u001b]0;title\u0007\u009b31m\u202egnp\u2028\u2066\r\nReady  True';
/** A pattern for the characters that a terminal or a journal would interpret. */
const acting = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/u;

const condition: Condition = {
  type: 'Ready',
  status: 'False',
  reason: 'Unreachable',
  message: evil,
  lastTransitionTime: '2026-01-01T00:00:00Z',
};
const status: Status = {
  ...{ version: evil, pid: 1, role: evil, node: evil, updated: '2026-01-01T00:00:00Z' },
  nextPass: { at: '2026-01-01T00:00:00Z', because: evil },
  k3s: { wanted: evil, running: evil },
  conditions: [{ ...condition }],
  credentials: [{ server: evil, received: '2026-01-01T00:00:00Z', proof: evil }],
  certificates: [{ name: evil, kind: 'leaf', from: evil, ends: '2026-01-01T00:00:00Z', renewal: evil }],
  resources: [{ id: evil, condition: 'Role', state: 'Failed', reason: evil }],
  changes: [{ at: '2026-01-01T00:00:00Z', resource: evil, did: evil }],
};
const view = { running: true, now: 0, width: 80, color: false };
const resource: Resource = { id: 'File/x', condition: 'Role', summary: evil, check: async () => inSync() };
const failed = {
  ...{ resource, state: 'Failed' as const, reason: 'Unreachable' as const },
  ...{ message: evil, lookAgainAt: 0, blocks: true },
};

test('slipway status prints no control characters and no forged line', () => {
  const text = statusText(status, view);
  expect(text).not.toMatch(acting);
  expect(text).not.toMatch(/^Ready {2}True/m);
});

test('slipway plan prints no control characters and no forged line', () => {
  const text = planText([{ outcome: failed, actions: [] }]);
  expect(text).not.toMatch(acting);
  expect(text).not.toMatch(/^Ready {2}True/m);
});

test('slipway doctor prints no control characters', () => {
  const diagnosis = { about: 'cloud', what: evil, level: 'failure', milliseconds: 1, message: evil } as const;
  expect(diagnosisText({ ...diagnosis, repair: evil }, view)).not.toMatch(acting);
});

test('a settings problem with hostile text is reported in a single line', () => {
  expect(invalidSettings([evil]).message).not.toMatch(/\n/);
});

test.each<LogTarget>(['journal', 'terminal', 'json'])(
  'the log for the target %s has no control characters except colours',
  async (target) => {
    const lines: string[] = [];
    const log = logEvents(await logDestination(target, (line) => lines.push(line)));
    log.emit({ type: 'Warned', message: evil });
    log.emit({ type: 'ConditionChanged', condition });
    const colours = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
    for (const line of lines) {
      expect(line.replace(colours, '')).toMatch(/^[^\n]*\n$/);
    }
    expect(lines.join('').replace(colours, '')).not.toMatch(acting);
  },
);

test('status.json has no control characters', async () => {
  const host = memoryHost();
  await writeStatus(host, '/run/slipway/status.json', status);
  const { content = '' } = (await host.readFile('/run/slipway/status.json')) ?? {};
  expect(content).not.toMatch(acting);
  expect(JSON.parse(content)).toEqual({ format: 1, ...status });
});

test('events and annotations have no control characters', async () => {
  const host = memoryHost();
  const { objects } = aCluster(host);
  objects.put('nodes', undefined, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'vm-1' } });
  const event = { about: 'Registries', type: 'Warning', reason: 'PullDenied', message: evil } as const;
  await createEvents(host, aNode('agent'), [event], 0);
  await annotate(host, aNode('agent'), { 'slipway.dev/role': evil });
  const role: unknown = Object(objects.get('nodes', undefined, 'vm-1')?.metadata.annotations)[
    'slipway.dev/role'
  ];
  const messages = objects.list('events', 'default').map((each) => Object(each).message);
  expect(messages).toHaveLength(1);
  for (const text of [role, ...messages]) {
    expect(text).toMatch(/\S/);
    expect(text).not.toMatch(acting);
    expect(text).not.toMatch(/\n/);
  }
});

test('a status line cannot send another notification to systemd', async () => {
  const told: (readonly string[])[] = [];
  const query = async ({ args }: { readonly args: readonly string[] }) => {
    told.push(args);
    return { exitCode: 0, stdout: '', stderr: '' };
  };
  await notifier({ query }, { NOTIFY_SOCKET: '/run/notify' }).status('Ready\nMAINPID=1\u001b');
  expect(told).toEqual([['--status=Ready\\nMAINPID=1\\u001b']]);
});

test.each(['plan', 'config', 'doctor'])(
  'slipway %s with hostile tags prints no control characters and no forged line',
  async (command) => {
    const root = await rootWith({
      ...{ cloud: 'static', role: 'agent' },
      static: {
        computerName: evil,
        vmId: evil,
        address: '127.0.0.1',
        tags: { 'k3s-role': evil, 'k3s-server': evil },
      },
    });
    const child = startSlipway([command, '--root', root], ['ignore', 'pipe', 'pipe']);
    const { stdout, stderr } = await endOf(child);
    expect(stdout + stderr).not.toBe('');
    expect(stdout + stderr).not.toMatch(acting);
    expect(stdout + stderr).not.toMatch(/^Ready {2}True/m);
  },
);
