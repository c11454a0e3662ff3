import { expect, test } from 'vitest';
import type { Fleet } from './fleet.ts';
import { live } from './live.ts';
import { withTurns } from './plans.ts';
import { range } from './seeds.ts';

const second = 1_000;

/** Deletes the Node of the first node that tries a bad release, this long after its first start with it. */
function deleteWhileItFails(fleet: Fleet, after: number): void {
  const look = () => {
    const node = fleet.api.nodes.find(({ k3s }) => k3s.badAttempts > 0);
    if (node === undefined) {
      fleet.later(second, look);
      return;
    }
    fleet.later(after, () => fleet.api.objects.remove('nodes', undefined, node.name));
  };
  look();
}

test.each(range(1, 4))(
  'no second node tries a bad release if the Node of the first one is deleted meanwhile: seed %i',
  async (seed) => {
    const plan = { changes: [{ wish: 'a bad release', at: 60 * second }] } as const;
    const prepare = (fleet: Fleet) => deleteWhileItFails(fleet, 5 * second);
    const life = { seed, servers: 3, agents: 2, makePlan: withTurns, faults: [], plan, prepare } as const;
    expect((await live(life)).failure).toBeUndefined();
  },
);
