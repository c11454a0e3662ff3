import { expect, test } from 'vitest';
import { ordersKey, readOrders } from '../../../src/agent/parts/maintenance/turn/orders.ts';
import { isAtWish } from '../at-wish.ts';
import type { WrapHost } from '../daemon.ts';
import type { Fleet } from '../fleet.ts';
import { type LifeOptions, live, type Verdict } from '../live.ts';
import { orderTurn } from '../person.ts';
import { withTurns } from '../plans.ts';
import { changed } from '../planted.ts';

const second = 1_000;
const minute = 60 * second;

/** One server and four agents that get another configuration, one after the other. */
const oneByOne = {
  ...{ seed: 1, servers: 1, agents: 4, faults: [], makePlan: withTurns },
  plan: {
    changes: [{ wish: 'a configuration', at: 5 * minute }],
    maintenance: {
      concurrency: 1,
      drain: { restart: false, upgrade: false, timeout: '1m', onTimeout: 'proceed' },
    },
  },
} as const satisfies LifeOptions;

/** Calls `happen` once a turn of this node has begun. */
function inTurnOf(fleet: Fleet, name: string, happen: () => void): void {
  if (fleet.daemons.some(({ node }) => node.name === name && node.turn !== undefined)) {
    happen();
  } else {
    fleet.timeline.after(second, () => inTurnOf(fleet, name, happen));
  }
}

interface Life extends Verdict {
  /** The names of the nodes, in the order in which their turns began. */
  readonly order: readonly string[];
}

async function lived(options: Partial<LifeOptions>, plan: (fleet: Fleet) => void): Promise<Life> {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
    plan(fleet);
  };
  const verdict = await live({ ...oneByOne, ...options, prepare });
  return { ...verdict, order: made?.turns.turns.map(({ node }) => node.name) ?? [] };
}

/** Lets a person put the last agent first while the first one is in its turn. */
function putFirst(fleet: Fleet): void {
  inTurnOf(fleet, 'agent-1', () => orderTurn(fleet, { order: 'now', about: 'agent-4' }));
}

/**
 * Lets an agent lose power for two hours in its turn. After half an hour, a person releases its turn, and lets the
 * others go on. Another half an hour later, calls `judge`.
 */
function loseAgent(fleet: Fleet, judge: () => void): void {
  inTurnOf(fleet, 'agent-2', () => {
    const lost = fleet.daemons.find(({ node }) => node.name === 'agent-2');
    if (lost) {
      fleet.losePower(lost, 2 * 60 * 60);
    }
    fleet.later(30 * minute, () => orderTurn(fleet, { order: 'release', about: 'agent-2' }));
    fleet.later(31 * minute, () => orderTurn(fleet, { order: 'continue', about: '' }));
    fleet.later(60 * minute, judge);
  });
}

/** Returns the names of the nodes that have the wish. */
function atWish(fleet: Fleet): readonly string[] {
  return fleet.daemons
    .map(({ node }) => node)
    .filter((node) => isAtWish(fleet, node))
    .map(({ name }) => name);
}

test('a node that a person puts first gets its turn before the others, and alone', async () => {
  const { failure, order } = await lived({}, putFirst);
  expect(failure).toBeUndefined();
  expect(order).toEqual(['server-1', 'agent-1', 'agent-4', 'agent-2', 'agent-3']);
});

test('the other nodes get their wish once a person has released the turn of a lost one, and continued', async () => {
  let found: readonly string[] = [];
  const { failure } = await lived({}, (fleet) =>
    loseAgent(fleet, () => {
      found = atWish(fleet);
    }),
  );
  expect(failure).toBeUndefined();
  expect(found).toEqual(['server-1', 'agent-1', 'agent-3', 'agent-4']);
});

/** Replaces the orders of persons in the Lease, as the servers read it. */
function seeing(kinds: RegExp, replaced: (text: string) => string): WrapHost {
  return (host) =>
    changed(host, {
      async get(request) {
        const response = await host.get(request);
        if (!request.url.includes('/leases/slipway-turns')) {
          return response;
        }
        const lease = JSON.parse(response.body);
        const text = lease.metadata?.annotations?.[ordersKey] ?? '';
        if (readOrders(text).some(({ order }) => kinds.test(order))) {
          lease.metadata.annotations[ordersKey] = replaced(text);
        }
        return { ...response, body: JSON.stringify(lease) };
      },
    });
}

test.each(['now', 'release', 'continue'])(
  'the simulated fleet notices servers that ignore the order %s',
  async (kind) => {
    const wrap = seeing(new RegExp(kind), () => '[]');
    if (kind === 'now') {
      expect((await lived({ wrap }, putFirst)).order[2]).not.toBe('agent-4');
      return;
    }
    let found: readonly string[] = [];
    await lived({ wrap }, (fleet) =>
      loseAgent(fleet, () => {
        found = atWish(fleet);
      }),
    );
    expect(found).not.toContain('agent-3');
  },
);

test('the simulated fleet notices a server that releases the turn of every node that a person puts first', async () => {
  // The order is given for the node that is in its turn, instead of one that waits.
  const wrap = seeing(/now/, () => JSON.stringify([{ order: 'release', about: 'agent-1' }]));
  expect((await lived({ wrap }, putFirst)).failure).toMatch(
    /2 agents are interrupted at once|before agent-1 has served for a minute/,
  );
});
