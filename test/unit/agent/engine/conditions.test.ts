import { describe, expect, test } from 'vitest';
import { conditionsOf } from '../../../../src/agent/engine/conditions.ts';
import {
  type ConditionType,
  inSync,
  type Outcome,
  type Resource,
} from '../../../../src/agent/engine/resource.ts';

const order = { types: ['K3sConfig', 'Registries', 'NodeReady', 'GitOps'], quoted: 'NodeReady' } as const;

function resource(id: string, condition: ConditionType): Resource {
  return { id, condition, summary: `make ${id}`, check: async () => inSync() };
}

const config = resource('config', 'K3sConfig');
const registries = resource('registries', 'Registries');

const fine: Outcome = { resource: config, state: 'InSync' };
const changed: Outcome = { resource: config, state: 'Changed', did: 'make it', changes: [] };
const waits: Outcome = {
  resource: registries,
  state: 'Waiting',
  reason: 'RegistryUnavailable',
  message: 'down',
  lookAgainAt: 0,
  blocks: true,
};
const fails: Outcome = {
  resource: registries,
  state: 'Failed',
  reason: 'RegistryForbidden',
  message: 'no role',
  lookAgainAt: 0,
  blocks: true,
};
const blocked: Outcome = { resource: registries, state: 'Blocked', by: 'config' };

function verdicts(...outcomes: readonly Outcome[]) {
  return conditionsOf(outcomes, [], 0, order).map(
    ({ type, status, reason }) => `${type} ${status} ${reason}`,
  );
}

describe('the conditions of a pass', () => {
  test.each<[string, readonly string[], Partial<Outcome>]>([
    ['is in sync', [], { state: 'InSync' }],
    ['is blocked', [], { state: 'Blocked', by: 'config' }],
    ['waits', [], { ...waits }],
    ['has failed', ['Registries False RegistryForbidden'], { ...fails }],
    ['was changed', ['Registries True Changed'], { state: 'Changed', did: 'make it', changes: [] }],
  ])('report a quiet resource that %s as %j', (_, told, outcome) => {
    const quiet = { ...outcome, resource: { ...registries, isQuiet: true } } as Outcome;
    const [, ...conditions] = verdicts(fine, quiet);
    expect(conditions.filter((each) => each.startsWith('Registries'))).toEqual(told);
  });

  test.each([
    ['are True if every resource is in sync', [fine], ['Ready True InSync', 'K3sConfig True InSync']],
    [
      'show a change although another resource is in sync',
      [fine, changed],
      ['Ready True Changed', 'K3sConfig True Changed'],
    ],
    [
      'are Unknown for a waiting resource, and so is Ready',
      [fine, waits],
      [
        'Ready Unknown RegistryUnavailable',
        'K3sConfig True InSync',
        'Registries Unknown RegistryUnavailable',
      ],
    ],
    [
      'show a failure rather than a wait',
      [fails, waits, fine],
      ['Ready False RegistryForbidden', 'K3sConfig True InSync', 'Registries False RegistryForbidden'],
    ],
    [
      'are Unknown for a blocked resource, and so is Ready',
      [blocked, fine],
      ['Ready Unknown Blocked', 'K3sConfig True InSync', 'Registries Unknown Blocked'],
    ],
    [
      'keep Ready True after a failure that does not block',
      [fine, { ...fails, blocks: false }],
      ['Ready True RegistryForbidden', 'K3sConfig True InSync', 'Registries False RegistryForbidden'],
    ],
    [
      'keep Ready True during a wait that does not block',
      [fine, { ...waits, blocks: false }],
      ['Ready True InSync', 'K3sConfig True InSync', 'Registries Unknown RegistryUnavailable'],
    ],
  ] as const)('%s', (_, outcomes, expected) => {
    expect(verdicts(...outcomes)).toEqual(expected);
  });
});

test('the transition time of a condition changes only with its status', () => {
  const first = conditionsOf([waits], [], 1_000, order);
  const otherReason = conditionsOf([{ ...waits, reason: 'Throttled' }], first, 2_000, order);
  const otherStatus = conditionsOf([fails], otherReason, 3_000, order);
  const times = [first, otherReason, otherStatus].map((conditions) => conditions[1]?.lastTransitionTime);
  expect(times).toEqual(['1970-01-01T00:00:01.000Z', '1970-01-01T00:00:01.000Z', '1970-01-01T00:00:03.000Z']);
});

test('a condition in sync shows the last message of its resources, on one line', () => {
  const telling = (id: string, message: string): Outcome => ({
    resource: resource(id, 'GitOps'),
    state: 'InSync',
    message,
  });
  const [ready, gitops] = conditionsOf(
    [
      telling('a', 'flux 2.9.4'),
      telling('b', 'applied\n  main@sha1:4f2e\n'),
      { resource: resource('c', 'GitOps'), state: 'InSync' },
    ],
    [],
    0,
    order,
  );
  expect(gitops?.message).toBe('applied | main@sha1:4f2e');
  expect(ready?.message).toBe(gitops?.message);
});
