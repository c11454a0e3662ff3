import { expect, test } from 'vitest';
import type { Fleet } from './fleet.ts';
import { live } from './live.ts';
import { withTurns } from './plans.ts';

test('an agent that the API has not answered for ten minutes restarts K3s for its new configuration', async () => {
  let starts = 0;
  const prepare = (fleet: Fleet) => {
    const agent = fleet.daemons.find(({ node }) => node.role === 'agent')?.node;
    fleet.later(50_000, () => {
      if (agent) {
        agent.machine.isCutOff = true;
      }
    });
    // A fleet in which nothing happens for eight minutes counts as stuck.
    fleet.later(400_000, () => {});
    fleet.later(800_000, () => {
      if (agent) {
        starts = agent.k3s.starts;
        agent.machine.isCutOff = false;
      }
    });
  };
  const plan = { changes: [{ wish: 'a configuration', at: 60_000 }] } as const;
  const { failure } = await live({
    seed: 1,
    servers: 1,
    agents: 1,
    makePlan: withTurns,
    faults: [],
    plan,
    prepare,
  });
  expect(failure).toBeUndefined();
  expect(starts).toBe(2);
});

test('servers whose API has been silent for ten minutes restart K3s for their new configuration', async () => {
  let starts: readonly number[] = [];
  const prepare = (fleet: Fleet) => {
    fleet.later(50_000, () => {
      fleet.api.fault = 'hangs';
    });
    // A fleet in which nothing happens for minutes counts as stuck or settled.
    fleet.later(400_000, () => {});
    fleet.later(700_000, () => {});
    fleet.later(780_000, () => {
      starts = fleet.daemons.map(({ node }) => node.k3s.starts);
      fleet.api.fault = undefined;
    });
  };
  const plan = { changes: [{ wish: 'a configuration', at: 60_000 }] } as const;
  const { failure } = await live({
    seed: 1,
    servers: 3,
    agents: 0,
    makePlan: withTurns,
    faults: [],
    plan,
    prepare,
  });
  expect(failure).toBeUndefined();
  expect(starts).toEqual([2, 2, 2]);
});
