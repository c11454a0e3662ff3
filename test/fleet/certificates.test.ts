import { expect, test } from 'vitest';
import { openGate } from '../../src/agent/parts/k3s/gate.ts';
import type { Fleet } from './fleet.ts';
import { type LifeOptions, live } from './live.ts';
import { withTurns } from './plans.ts';
import { leap } from './wishes.ts';

const minute = 60_000;

/** A fleet that wants nothing but valid certificates, and in which no fault happens unless a test adds it. */
const quiet = {
  seed: 1,
  servers: 1,
  agents: 4,
  makePlan: withTurns,
  faults: [],
} as const satisfies LifeOptions;

const renewed = { changes: [{ wish: 'certificates', at: 5 * minute }] } as const;

test.each([
  ['of a year', 365, 390, 2],
  ['of 120 days', 120, 390, 5],
  ['of 30 days', 30, 90, 5],
])('in months without another restart, certificates %s never end', async (_, days, months, starts) => {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
    for (let day = 1; day <= months; day += 2) {
      fleet.later((1 + day) * minute, () => leap(fleet, 2));
    }
  };
  const plan = { changes: [], certificates: { days, isOneStuck: false } };
  const { failure } = await live({ ...quiet, agents: 2, plan, prepare });
  expect(failure).toBeUndefined();
  expect(made?.daemons.map(({ node }) => node.k3s.starts)).toEqual([starts, starts, starts]);
});

test('a certificate that a start does not renew causes one restart, and then a condition', async () => {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
    fleet.later(40 * minute, () => {});
  };
  const plan = { ...renewed, certificates: { days: 365, isOneStuck: true } };
  const { failure, turns } = await live({ ...quiet, plan, prepare });
  expect(failure).toBeUndefined();
  expect(turns).toBe(5);
  expect(made?.daemons.map(({ node }) => node.k3s.starts)).toEqual([2, 2, 2, 2, 2]);
});

test('the simulated fleet notices certificates that are renewed without a turn', async () => {
  const makePlan = (fleet: Fleet) => withTurns(fleet, { renewalGate: openGate });
  const { failure } = await live({ ...quiet, makePlan, plan: renewed });
  expect(failure).toMatch(/is interrupted by a restart without a turn/);
});
