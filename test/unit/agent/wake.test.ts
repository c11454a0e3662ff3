import { expect, test } from 'vitest';
import { inSync, type Outcome, type Resource } from '../../../src/agent/engine/resource.ts';
import { nextWake } from '../../../src/agent/wake.ts';

const now = 1_000_000;

function resource(id: string): Resource {
  return { id, condition: 'System', summary: '', check: async () => inSync() };
}

const changed: Outcome = { resource: resource('a'), state: 'Changed', did: 'make it', changes: [] };
const waits: Outcome = {
  resource: resource('b'),
  state: 'Waiting',
  reason: 'ServiceStarting',
  message: '',
  lookAgainAt: now + 2_000,
  blocks: true,
};
const due: Outcome = { resource: resource('c'), state: 'InSync', until: now + 60_000 };
const overdue: Outcome = { resource: resource('d'), state: 'InSync', until: now - 5_000 };
const steady: Outcome = { resource: resource('e'), state: 'InSync' };
const blocked: Outcome = { resource: resource('f'), state: 'Blocked', by: 'b' };

test.each([
  ['to verify a change at once', [steady, due, changed], 0, 'verify a'],
  ['for a waiting resource before one that is due later', [due, waits], 2_000, 'b (ServiceStarting)'],
  ['to renew a credential before the regular check', [steady, due], 60_000, 'renew c'],
  ['for the regular check every five minutes', [steady, blocked], 300_000, 'look for drift'],
  [
    'once for resources that are due within one second of each other',
    [waits, { ...waits, lookAgainAt: now + 3_000 }, due],
    3_000,
    'b (ServiceStarting)',
  ],
  [
    'for the first resource alone if the next is due more than one second later',
    [waits, { ...waits, lookAgainAt: now + 3_001 }],
    2_000,
    'b (ServiceStarting)',
  ],
  ['in one second at the earliest for an overdue resource', [overdue], 1_000, 'renew d'],
] as const)('nextWake wakes the loop %s', (_, outcomes, after, because) => {
  expect(nextWake(now, outcomes)).toEqual({ at: now + after, because });
});
