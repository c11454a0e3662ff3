import { expect, test } from 'vitest';
import { type Checked, describe, outcomeJson } from '../../../../src/agent/engine/describe.ts';
import { inSync, type Outcome, type Resource, waiting } from '../../../../src/agent/engine/resource.ts';

const resource: Resource = { id: 'a', summary: 'make a', condition: 'System', check: async () => inSync() };
const changes = [{ field: 'mode', observed: '0644', desired: '0600' }];
const told = { reason: 'Unreachable', message: 'no route', lookAgainAt: 7 } as const;
const drift = { changes, remedy: async () => {} };

test.each<[Outcome | Checked, string]>([
  [{ resource, state: 'InSync' }, 'in sync | True InSync |  | -'],
  [{ resource, state: 'InSync', message: 'well', until: 7 }, 'in sync | True InSync | well | 7'],
  [{ resource, state: 'Changed', did: 'make it', changes }, 'change | True Changed | make it | -'],
  [{ resource, state: 'Recorded', changes }, 'change | Unknown Recorded | make a | -'],
  [{ resource, state: 'Drifted', drift }, 'change | Unknown Recorded | make a | -'],
  [
    { resource, state: 'Drifted', drift: { ...drift, summary: 'mend a' } },
    'change | Unknown Recorded | mend a | -',
  ],
  [{ resource, state: 'Waiting', ...told, blocks: true }, 'wait | Unknown Unreachable | no route | 7'],
  [{ resource, state: 'Waiting', ...told, blocks: false }, 'note | Unknown Unreachable | no route | 7'],
  [{ resource, ...waiting('Throttled', 'later') }, 'wait | Unknown Throttled | later | -'],
  [{ resource, state: 'Failed', ...told, blocks: true }, 'stop | False Unreachable | no route | 7'],
  [{ resource, state: 'Failed', ...told, blocks: false }, 'note | False Unreachable | no route | 7'],
  [{ resource, state: 'Blocked', by: 'b' }, 'follow | Unknown Blocked | waits for b | -'],
])('%j', (outcome, expected) => {
  const { standing, status, reason, message, until } = describe(outcome);
  expect(`${standing} | ${status} ${reason} | ${message} | ${until ?? '-'}`).toBe(expected);
});

test.each<[Outcome, object]>([
  [
    { resource, state: 'InSync' },
    { state: 'InSync', reason: 'InSync' },
  ],
  [
    { resource, state: 'Changed', did: 'make it', changes },
    { state: 'Changed', reason: 'Changed', message: 'make it', changes },
  ],
  [
    { resource, state: 'Failed', ...told, blocks: false },
    { state: 'Failed', reason: 'Unreachable', message: 'no route', blocks: false, until: 7 },
  ],
  [
    { resource, state: 'Blocked', by: 'b' },
    { state: 'Blocked', reason: 'Blocked', message: 'waits for b' },
  ],
])('%j in JSON', (outcome, expected) => {
  expect(outcomeJson(outcome)).toEqual(expected);
});
