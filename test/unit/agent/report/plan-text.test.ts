import { describe, expect, test } from 'vitest';
import type { RecordedAction } from '../../../../src/agent/engine/recorded-action.ts';
import { inSync, type Outcome, type Resource } from '../../../../src/agent/engine/resource.ts';
import {
  type PlannedStep,
  planText,
  planVerdict,
  withoutUpkeep,
} from '../../../../src/agent/report/plan-text.ts';

function resource(id: string): Resource {
  return { id, condition: 'System', summary: `make ${id}`, check: async () => inSync() };
}

function changed(...actions: readonly RecordedAction[]): PlannedStep {
  return { outcome: { resource: resource('x'), state: 'Changed', did: 'make it', changes: [] }, actions };
}

function step(outcome: { readonly state: string; readonly [field: string]: unknown }, id = 'x'): PlannedStep {
  return { outcome: { resource: resource(id), ...outcome } as unknown as Outcome, actions: [] };
}

const write = { kind: 'write', path: '/etc/a', mode: 0o600 } as const;
const write_ = { ...write, content: 'a\n' } as const;
const failed = {
  state: 'Failed',
  reason: 'VaultForbidden',
  message: 'no',
  lookAgainAt: 0,
  blocks: true,
} as const;

describe('planText', () => {
  test('prints how many steps change, follow, are in the way, are to note or are in sync', () => {
    const steps = [
      changed(write_),
      step({ state: 'Recorded', changes: [] }),
      step({ state: 'Blocked', by: 'x' }),
      step(failed),
      step({ ...failed, blocks: false }),
      step({ state: 'InSync' }),
    ];
    expect(planText(steps)).toContain('Plan: 1 to change, 2 to follow, 1 in the way, 1 to note, 1 in sync.');
  });

  test('lists a step that is to be taken once a wait of another step has ended', () => {
    const steps = [step({ state: 'InSync', isLater: true }, 'later'), step({ state: 'InSync' })];
    expect(planText(steps)).toBe(
      'then: make later\nPlan: 0 to change, 1 to follow, 0 in the way, 0 to note, 1 in sync. Nothing was changed.\n',
    );
    expect(planVerdict(steps)).toBe('changes');
  });

  test('of a node that is not set up lists no later step that only maintains the node', () => {
    const upkeep = { ...resource('upkeep'), isUpkeep: true };
    const steps = [
      step({ state: 'Blocked', by: 'x' }),
      step({ resource: upkeep, state: 'Blocked', by: 'x' }),
      step({ ...failed, resource: upkeep }),
    ];
    expect(withoutUpkeep(steps)).toEqual([steps[0], steps[2]]);
  });

  test.each([
    [
      'a new file in full',
      { ...write, content: 'a: 1\nb: ‹redacted›\n' },
      'file: /etc/a (0600)\n    + a: 1\n    + b: ‹redacted›\n',
    ],
    [
      'an edit, as a diff',
      { ...write, mode: 0o644, content: 'a: 1\nb: 3\n', before: { mode: 0o644, content: 'a: 1\nb: 2\n' } },
      'edit: /etc/a (0644)\n      a: 1\n    - b: 2\n    + b: 3\n',
    ],
    [
      'an edit of a private file, without the removed lines',
      { ...write, content: 'a: 1\n', before: { mode: 0o600, content: 'a: 1\ntoken: canary\n' } },
      'edit: /etc/a (0600)\n      a: 1\n    - ‹redacted›\n',
    ],
    [
      'a change of a mode',
      { ...write, content: 'a\n', before: { mode: 0o644, content: 'a\n' } },
      'edit: /etc/a (0644 -> 0600)\n',
    ],
    ['a link', { kind: 'link', path: '/bin/kubectl', target: 'k3s' }, 'link: /bin/kubectl -> k3s\n'],
    ['a command', { kind: 'run', command: 'systemctl daemon-reload' }, 'run:  systemctl daemon-reload\n'],
    ['a copy', { kind: 'copy', from: '/a.db', to: '/b.db' }, 'copy: /a.db -> /b.db, and read it back\n'],
    ['a compression', { kind: 'compress', from: '/a', to: '/b' }, 'compress: /a -> /b\n'],
    ['an upload', { kind: 'upload', from: '/a', url: 'https://x/a' }, 'send: /a\n      to https://x/a\n'],
    [
      'a fetch of a file',
      { kind: 'fetch', url: 'https://x/a', path: '/a' },
      'get:  https://x/a\n      to /a (0600)\n',
    ],
    ['a copy of a file', { kind: 'copyFile', from: '/a', to: '/b' }, 'copy: /a -> /b\n'],
    ['a request for a secret', { kind: 'obtain', what: 'the join token' }, 'ask:  the join token\n'],
    [
      'a download',
      { kind: 'download', url: 'https://x/k3s', path: '/bin/k3s', mode: 0o755 },
      'get:  https://x/k3s\n      to /bin/k3s (0755), its sha256 verified\n',
    ],
  ] as const)('prints %s', (_, action, expected) => {
    expect(planText([changed(action)])).toBe(
      `${expected}Plan: 1 to change, 0 to follow, 0 in the way, 0 to note, 0 in sync. Nothing was changed.\n`,
    );
  });

  test('marks each step as stop, note, wait or then', () => {
    const text = planText([
      step(failed),
      step({ ...failed, blocks: false }, 'y'),
      step({ state: 'Waiting', reason: 'ServiceStarting', message: 'soon', blocks: true }),
      step({ state: 'Blocked', by: 'x' }),
    ]);
    expect(text.split('\n').slice(0, 7)).toEqual([
      'stop: make x',
      '      VaultForbidden: no',
      'note: make y',
      '      VaultForbidden: no',
      'wait: make x',
      '      ServiceStarting: soon',
      'then: make x',
    ]);
  });
});

test.each([
  ['nothing', 'if all steps are in sync', [step({ state: 'InSync' })]],
  ['changes', 'if a step changes something', [step({ state: 'InSync' }), changed()]],
  ['changes', 'if a step waits for another step', [step({ state: 'Blocked', by: 'x' })]],
  ['changes', 'if the node is not ready yet', [step({ state: 'Waiting', blocks: true }, 'Node/ready')]],
  [
    'nothing',
    'if a step waits without blocking',
    [step({ state: 'Waiting', blocks: false }, 'Sync/flux-system')],
  ],
  ['nothing', 'if a step fails without blocking', [step({ ...failed, blocks: false })]],
  ['errors', 'if a step fails', [step(failed)]],
  ['errors', 'if the role is not known yet', [step({ state: 'Waiting' }, 'Role')]],
] as const)('planVerdict returns %s %s', (verdict, _, steps) => {
  expect(planVerdict(steps)).toBe(verdict);
});
