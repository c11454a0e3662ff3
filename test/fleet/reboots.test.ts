import { expect, test } from 'vitest';
import { nodePaths } from '../../src/agent/paths.ts';
import type { WrapHost } from './daemon.ts';
import type { Fleet } from './fleet.ts';
import { type LifeOptions, live } from './live.ts';
import { withTurns } from './plans.ts';
import { changed } from './planted.ts';

const minute = 60_000;
const paths = nodePaths('/');

/** A fleet whose distributions ask for a reboot, and in which no fault happens unless a test adds it. */
const asking = {
  seed: 1,
  servers: 1,
  agents: 3,
  makePlan: withTurns,
  faults: [],
  plan: { changes: [] },
} as const;

/** Asks all machines for a reboot for the same package after each of these minutes. */
async function reboot(minutes: readonly number[], more: Partial<LifeOptions> = {}) {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
    for (let minutes = 1; minutes < 25; minutes += 1) {
      // A fleet in which nothing happens for two minutes has settled.
      fleet.later(minutes * minute, () => {});
    }
    for (const at of minutes) {
      fleet.later(at * minute, () => {
        for (const { node } of fleet.daemons) {
          node.reboots.ask('linux-base');
        }
      });
    }
  };
  const { failure, turns } = await live({ ...asking, ...more, prepare });
  return { failure, turns, boots: made?.daemons.map(({ node }) => node.machine.boots) };
}

test('nodes reboot one after the other, each once in its turn', async () => {
  expect(await reboot([2])).toEqual({ failure: undefined, turns: 4, boots: [2, 2, 2, 2] });
});

test('nodes whose distribution asks for the same reboot again do not reboot twice', async () => {
  expect(await reboot([2, 20])).toEqual({ failure: undefined, turns: 4, boots: [2, 2, 2, 2] });
});

/** Forgets a reboot as soon as it is ordered. */
const forgotten: WrapHost = (host) =>
  changed(host, {
    async readFile(path) {
      return path === paths.slipway.reboot ? undefined : host.readFile(path);
    },
  });

test('the simulated fleet notices a reboot that is repeated for the same cause', async () => {
  const { failure } = await reboot([2, 20], { wrap: forgotten });
  expect(failure).toMatch(/reboots again for the same cause/);
});
