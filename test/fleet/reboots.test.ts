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

/** Asks all machines for reboots: at each of these minutes, for this package. */
async function reboot(asks: Readonly<Record<number, string>>, more: Partial<LifeOptions> = {}) {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
    for (let minutes = 1; minutes < 40; minutes += 1) {
      // A fleet in which nothing happens for two minutes has settled.
      fleet.later(minutes * minute, () => {});
    }
    for (const [at, name] of Object.entries(asks)) {
      fleet.later(Number(at) * minute, () => {
        for (const { node } of fleet.daemons) {
          node.reboots.ask(name);
        }
      });
    }
  };
  const { failure, turns } = await live({ ...asking, ...more, prepare });
  return { failure, turns, boots: made?.daemons.map(({ node }) => node.machine.boots) };
}

test('nodes reboot one after the other, each once in its turn', async () => {
  expect(await reboot({ 2: 'linux-base' })).toEqual({ failure: undefined, turns: 4, boots: [2, 2, 2, 2] });
});

test('nodes whose distribution asks for the same reboot again do not reboot twice', async () => {
  expect(await reboot({ 2: 'linux-base', 20: 'linux-base' })).toEqual({
    failure: undefined,
    turns: 4,
    boots: [2, 2, 2, 2],
  });
});

test('nodes whose distribution asks for reboots for two packages in turn reboot once for each', async () => {
  const asks = { 2: 'linux-base', 18: 'dbus', 34: 'linux-base', 37: 'dbus' };
  expect(await reboot(asks)).toEqual({ failure: undefined, turns: 8, boots: [3, 3, 3, 3] });
});

/** Forgets a reboot as soon as it is ordered. */
const forgotten: WrapHost = (host) =>
  changed(host, {
    async readFile(path) {
      return path === paths.slipway.reboot ? undefined : host.readFile(path);
    },
  });

test('the simulated fleet notices a reboot that is repeated for the same cause', async () => {
  const { failure } = await reboot({ 2: 'linux-base', 20: 'linux-base' }, { wrap: forgotten });
  expect(failure).toMatch(/reboots again for the same cause/);
});
