import { expect, test } from 'vitest';
import type { Fleet } from '../fleet.ts';
import { live } from '../live.ts';
import { orderTurn } from '../person.ts';
import { withTurns } from '../plans.ts';
import { oneIn } from './chosen-seeds.ts';

const second = 1_000;

/** Lets a person give some orders at times that the seed draws, and release the turns of agents that are off. */
function ordering(fleet: Fleet): void {
  const { random, daemons } = fleet;
  for (let count = random.between(2, 6); count > 0; count -= 1) {
    fleet.later(random.between(60, 600) * second, () => {
      const { node } = random.pick(daemons);
      const isLost = node.role === 'agent' && node.machine.isOff;
      const order = isLost ? 'release' : random.pick(['now', 'continue'] as const);
      orderTurn(fleet, { order, about: order === 'continue' ? '' : node.name });
    });
  }
}

test.each([
  { servers: 1, agents: 4 },
  { servers: 3, agents: 6 },
])('$servers servers and $agents agents keep the promises while a person orders turns', async (size) => {
  const failures: string[] = [];
  for (const seed of oneIn(30)) {
    const { failure } = await live({ ...size, seed, makePlan: withTurns, prepare: ordering });
    failures.push(...(failure === undefined ? [] : [failure]));
  }
  expect(failures.join('\n\n')).toBe('');
});
