import { expect, test } from 'vitest';
import { live } from './live.ts';
import { withTurns } from './plans.ts';

test('the turn of an upgrade ends although the node already wants another release', async () => {
  const plan = {
    changes: [
      { wish: 'a release', at: 60_000 },
      { wish: 'a release', at: 110_000 },
    ],
  } as const;
  const { failure } = await live({ seed: 1, servers: 1, agents: 0, makePlan: withTurns, faults: [], plan });
  expect(failure).toBeUndefined();
});

test('a node whose K3s crashes does not upgrade without its turn', async () => {
  const faults = ['K3s crashes', 'K3s crashes'] as const;
  const plan = { changes: [{ wish: 'a bad release', at: 60_000 }] } as const;
  for (const seed of [28, 33]) {
    const { failure } = await live({ seed, servers: 3, agents: 6, makePlan: withTurns, faults, plan });
    expect(failure).toBeUndefined();
  }
});
