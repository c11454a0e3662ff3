import { expect, test } from 'vitest';
import type { RecordedAction } from '../../../../src/agent/engine/recorded-action.ts';
import { inSync, type Outcome } from '../../../../src/agent/engine/resource.ts';
import { planJson } from '../../../../src/agent/report/plan-json.ts';
import { onlyIn, type PlannedStep, planVerdict } from '../../../../src/agent/report/plan-text.ts';

function step(id: string, outcome: object, ...actions: readonly RecordedAction[]): PlannedStep {
  const resource = { id, condition: 'System', summary: `make ${id}`, check: async () => inSync() };
  return { outcome: { resource, ...outcome } as unknown as Outcome, actions };
}

const changed = {
  state: 'Changed',
  did: 'make it',
  changes: [{ field: 'mode', observed: '0644', desired: '0600' }],
};

test('planJson returns the verdict, the steps and their actions, but no secret', () => {
  const before = { mode: 0o600, content: 'token: canary\n' };
  const steps = [
    step('a', { state: 'InSync', message: 'well' }),
    step('b', changed, { kind: 'write', path: '/b', mode: 0o600, content: 'a: 1\n', before }),
    step('c', { state: 'Recorded', changes: [] }, { kind: 'run', command: 'systemctl restart k3s.service' }),
    step('d', { state: 'Blocked', by: 'c' }),
    step('e', {
      state: 'Failed',
      reason: 'TaintNotApplied',
      message: 'no taint',
      lookAgainAt: 0,
      blocks: false,
    }),
  ];
  const text = planJson(steps);
  expect(text).not.toContain('canary');
  expect(JSON.parse(text)).toEqual({
    apiVersion: 'slipway.dev/v1',
    kind: 'Plan',
    verdict: 'changes',
    steps: [
      {
        resource: 'a',
        condition: 'System',
        state: 'InSync',
        reason: 'InSync',
        summary: 'make a',
        message: 'well',
        actions: [],
      },
      {
        ...{
          resource: 'b',
          condition: 'System',
          state: 'Changed',
          reason: 'Changed',
          message: 'make it',
          summary: 'make b',
          changes: changed.changes,
        },
        actions: [{ kind: 'write', path: '/b', mode: '0600', lines: ['- ‹redacted›', '+ a: 1'] }],
      },
      {
        ...{ resource: 'c', condition: 'System', state: 'Recorded', summary: 'make c', changes: [] },
        ...{ reason: 'Recorded', message: 'make c' },
        actions: [{ kind: 'run', command: 'systemctl restart k3s.service' }],
      },
      {
        ...{ resource: 'd', condition: 'System', state: 'Blocked', summary: 'make d' },
        ...{ reason: 'Blocked', message: 'waits for c', actions: [] },
      },
      {
        ...{ resource: 'e', condition: 'System', state: 'Failed', summary: 'make e' },
        ...{ reason: 'TaintNotApplied', message: 'no taint', blocks: false, actions: [] },
      },
    ],
  });
});

test('onlyIn returns the steps that differ from another plan, and every error', () => {
  const write = (content: string): RecordedAction => ({ kind: 'write', path: '/b', mode: 0o644, content });
  const now = [
    step('a', { state: 'InSync' }),
    step('b', changed, write('1\n')),
    step('c', { state: 'Blocked', by: 'b' }),
  ];
  const then = [
    step('a', changed, write('x\n')),
    step('b', changed, write('1\n')),
    step('c', { state: 'InSync' }),
  ];
  expect(onlyIn(then, now).map(({ outcome }) => outcome.resource.id)).toEqual(['a', 'c']);
  expect(onlyIn(now, now)).toEqual([]);
  const stuck = step('Identity', {
    state: 'Failed',
    reason: 'ImdsUnreachable',
    message: '',
    lookAgainAt: 0,
    blocks: true,
  });
  expect(planVerdict(onlyIn([stuck], [stuck]))).toBe('errors');
});
