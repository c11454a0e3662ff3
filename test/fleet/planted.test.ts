import { expect, test } from 'vitest';
import type { WrapHost } from './daemon.ts';
import type { Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import { type LifeOptions, live } from './live.ts';
import { withoutTurns, withTurns } from './plans.ts';
import {
  byTimeOfDay,
  forgottenRollback,
  freedByTime,
  grantedLate,
  ledgerInMemory,
  withoutVersions,
} from './planted.ts';

/**
 * A fleet of three servers and four agents that wants one restart, and in which no fault happens unless a test adds it.
 */
const quiet = {
  servers: 3,
  agents: 4,
  makePlan: withTurns,
  faults: [],
  plan: { changes: [{ wish: 'a configuration', at: 60_000 }] },
} as const satisfies Partial<LifeOptions>;

/** A drain of ten minutes, because a budget protects each pod of an app. */
const slowDrain = {
  changes: [{ wish: 'a configuration', at: 60_000 }],
  workloads: [{ app: 'store', replicas: 8, minAvailable: 8 }],
  maintenance: {
    concurrency: 1,
    drain: { restart: true, upgrade: true, timeout: '10m', onTimeout: 'proceed' },
  },
} as const;

async function failures(options: Omit<LifeOptions, 'seed'>, seeds: readonly number[]) {
  const found: string[] = [];
  for (const seed of seeds) {
    const { failure } = await live({ ...options, seed });
    found.push(...(failure === undefined ? [] : [failure.split('\n')[0] ?? '']));
  }
  return found.join('\n');
}

test('the simulated fleet notices restarts without turns', async () => {
  expect(await failures({ ...quiet, makePlan: withoutTurns }, [1])).toMatch(/without a turn/);
});

test('the simulated fleet notices that a server loses its turn when the time to begin it is over', async () => {
  const options = { ...quiet, servers: 2, agents: 0, plan: slowDrain };
  expect(await failures(options, [1])).toBe('');
  expect(await failures({ ...options, wrap: freedByTime }, [1])).toMatch(
    /frees server-\d, which is still in/,
  );
});

test('the simulated fleet notices that a server is interrupted during the repair of another one', async () => {
  const prepare = (fleet: Fleet) => {
    const [first, second] = fleet.daemons.map(({ node }) => node);
    fleet.later(50_000, () => {
      if (second) {
        second.answeredAt = Number.NEGATIVE_INFINITY;
        interrupt(second);
      }
    });
    fleet.later(51_000, () => {
      if (first) {
        first.turn = 'a turn';
        interrupt(first);
      }
    });
  };
  expect(await failures({ ...quiet, prepare }, [1])).toMatch(
    /two servers are interrupted at once: server-1, server-2/,
  );
});

function interrupt(node: FleetNode): void {
  node.interrupt('a restart');
  node.k3s.restart();
}

test('the simulated fleet notices a ledger that is kept in memory only', async () => {
  expect(await failures({ ...quiet, wrap: ledgerInMemory }, [1])).toMatch(/that the ledger does not have/);
});

/**
 * Returns options with a holder that is suspended before it writes a grant, and writes it after another holder has
 * taken over.
 */
function withLateGrant(prepare: (fleet: Fleet) => void = () => {}) {
  let made: Fleet | undefined;
  const wrap: WrapHost = grantedLate(() => made);
  return {
    ...quiet,
    wrap,
    prepare(fleet: Fleet) {
      made = fleet;
      prepare(fleet);
    },
  };
}

/**
 * What a late grant does: a node begins a turn that the ledger lacks, or one too soon after that of the first agent.
 */
const lateGrant = /that the ledger does not have|before agent-\d has served for a minute/;

test('the simulated fleet notices a former holder of the Lease that writes a grant late', async () => {
  const isGrant = (_: string, body: string) => body.includes('slipway.dev/turn-grant');
  expect(await failures(withLateGrant(), [2, 5])).toBe('');
  const careless = withLateGrant(({ api }) => withoutVersions(api, isGrant));
  expect(await failures(careless, [2, 5])).toMatch(lateGrant);
});

test('the simulated fleet notices changes that do not name the version of the object', async () => {
  const careless = () => withLateGrant(({ api }) => withoutVersions(api, () => true));
  expect(await failures(careless(), [2, 5])).toMatch(lateGrant);
});

test('the simulated fleet notices a bad release that is tried again', async () => {
  const plan = { changes: [{ wish: 'a bad release', at: 60_000 }] } as const;
  const options = { ...quiet, servers: 1, agents: 1, plan };
  expect(await failures(options, [1])).toBe('');
  expect(await failures({ ...options, wrap: forgottenRollback }, [1])).toMatch(/tries? a release/);
});

test('the simulated fleet notices that turns are timed by the time of day', async () => {
  const prepare = (fleet: Fleet) => afterFirstAgent(fleet, () => setServersBack(fleet));
  const options = { ...quiet, servers: 1, agents: 2, prepare };
  expect(await failures(options, [1])).toBe('');
  expect(await failures({ ...options, wrap: byTimeOfDay }, [1])).toMatch(/is not at the wish/);
});

/** Calls `happen` while the first agent must serve for a minute before others follow. */
function afterFirstAgent(fleet: Fleet, happen: () => void): void {
  const isDone = fleet.turns.turns.some(({ node, end }) => node.role === 'agent' && end !== undefined);
  fleet.later(10_000, isDone ? happen : () => afterFirstAgent(fleet, happen));
}

function setServersBack({ daemons }: Fleet): void {
  for (const { node } of daemons.filter((daemon) => daemon.node.role === 'server')) {
    node.machine.setClock(-26 * 3_600_000);
  }
}
