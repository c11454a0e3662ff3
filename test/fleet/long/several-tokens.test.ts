import { describe, expect, test } from 'vitest';
import { rotationSteps } from '../../lab/standins/k3s-bootstrap.ts';
import type { Fleet } from '../fleet.ts';
import { type LifeOptions, live } from '../live.ts';
import { withTurns } from '../plans.ts';
import { range } from '../seeds.ts';

const minute = 60_000;

/** Three servers that share a datastore and get a new join token, in which no fault happens unless a test adds it. */
const rotation = {
  seed: 1,
  servers: 3,
  agents: 2,
  makePlan: withTurns,
  faults: [],
  plan: { hasTokens: true, changes: [{ wish: 'a token', at: 2 * minute }] },
} as const satisfies LifeOptions;

describe.each(rotationSteps)(
  'a rotation on three servers that is interrupted after the step "%s"',
  (step) => {
    test.each(['killed', 'answers 500'] as const)('reaches all nodes if K3s %s', async (ends) => {
      const prepare = (fleet: Fleet) =>
        fleet.later(minute, () => {
          for (const { passwords } of fleet.api.nodes) {
            if (passwords) {
              passwords.trouble = { step, ends };
            }
          }
        });
      const { failure } = await live({ ...rotation, prepare });
      expect(failure).toBeUndefined();
    });
  },
);

test.each([50, 125, 140, 200])(
  'a server that is off from second %i of a rotation takes the new token',
  async (at) => {
    const prepare = (fleet: Fleet) =>
      fleet.later(at * 1_000, () => {
        const [, second] = fleet.daemons;
        if (second) {
          fleet.losePower(second, 10 * 60);
        }
      });
    const { failure } = await live({ ...rotation, prepare });
    expect(failure).toBeUndefined();
  },
);

test('three servers with a new join token keep the promises with drawn faults and the seeds 1 to 30', async () => {
  const { faults: _, ...drawn } = rotation;
  for (const seed of range(1, 30)) {
    expect((await live({ ...drawn, seed })).failure).toBeUndefined();
  }
});
