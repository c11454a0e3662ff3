import { expect, test } from 'vitest';
import { type Checked, describe, outcomeJson } from '../../../../src/agent/engine/describe.ts';
import { inSync, type Outcome, type Resource, waiting } from '../../../../src/agent/engine/resource.ts';

const resource: Resource = { id: 'a', summary: 'make a', condition: 'System', check: async () => inSync() };
const changes = [{ field: 'mode', observed: '0644', desired: '0600' }];
const told = { reason: 'Unreachable', message: 'no route', lookAgainAt: 7 } as const;
const drift = { changes, remedy: async () => {} };

test.each<[string, Outcome | Checked, string]>([
  ['a resource in sync', { resource, state: 'InSync' }, 'in sync | True InSync |  | -'],
  [
    'a resource in sync with a message and a time',
    { resource, state: 'InSync', message: 'well', until: 7 },
    'in sync | True InSync | well | 7',
  ],
  [
    'a change',
    { resource, state: 'Changed', did: 'make it', changes },
    'change | True Changed | make it | -',
  ],
  [
    'a change recorded by a dry run',
    { resource, state: 'Recorded', changes },
    'change | Unknown Recorded | make a | -',
  ],
  ['a drift', { resource, state: 'Drifted', drift }, 'change | Unknown Recorded | make a | -'],
  [
    'a drift whose summary differs from that of the resource',
    { resource, state: 'Drifted', drift: { ...drift, summary: 'mend a' } },
    'change | Unknown Recorded | mend a | -',
  ],
  [
    'a wait that blocks',
    { resource, state: 'Waiting', ...told, blocks: true },
    'wait | Unknown Unreachable | no route | 7',
  ],
  [
    'a wait that does not block',
    { resource, state: 'Waiting', ...told, blocks: false },
    'note | Unknown Unreachable | no route | 7',
  ],
  [
    'a waiting finding of a check',
    { resource, ...waiting('Throttled', 'later') },
    'wait | Unknown Throttled | later | -',
  ],
  [
    'a failure that blocks',
    { resource, state: 'Failed', ...told, blocks: true },
    'stop | False Unreachable | no route | 7',
  ],
  [
    'a failure that does not block',
    { resource, state: 'Failed', ...told, blocks: false },
    'note | False Unreachable | no route | 7',
  ],
  [
    'a blocked resource',
    { resource, state: 'Blocked', by: 'b' },
    'follow | Unknown Blocked | waits for b | -',
  ],
])('describe returns standing, status, reason, message and time of %s', (_, outcome, expected) => {
  const { standing, status, reason, message, until } = describe(outcome);
  expect(`${standing} | ${status} ${reason} | ${message} | ${until ?? '-'}`).toBe(expected);
});

test.each<[string, Outcome, object]>([
  ['a resource in sync', { resource, state: 'InSync' }, { state: 'InSync', reason: 'InSync' }],
  [
    'a change',
    { resource, state: 'Changed', did: 'make it', changes },
    { state: 'Changed', reason: 'Changed', message: 'make it', changes },
  ],
  [
    'a failure that does not block',
    { resource, state: 'Failed', ...told, blocks: false },
    { state: 'Failed', reason: 'Unreachable', message: 'no route', blocks: false, until: 7 },
  ],
  [
    'a blocked resource',
    { resource, state: 'Blocked', by: 'b' },
    { state: 'Blocked', reason: 'Blocked', message: 'waits for b' },
  ],
])('outcomeJson returns the JSON of %s', (_, outcome, expected) => {
  expect(outcomeJson(outcome)).toEqual(expected);
});
