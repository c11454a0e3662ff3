import { describe, expect, test } from 'vitest';
import { reveal } from '../../src/agent/engine/secret.ts';
import { rotationSteps } from '../lab/standins/k3s-bootstrap.ts';
import type { WrapHost } from './daemon.ts';
import { faults } from './faults.ts';
import type { Fleet } from './fleet.ts';
import { type LifeOptions, live } from './live.ts';
import type { RotationTrouble } from './passwords.ts';
import { withTurns } from './plans.ts';
import { changed } from './planted.ts';

const minute = 60_000;

/** A fleet that gets a new join token, and in which no fault happens unless a test adds it. */
const rotation = {
  seed: 1,
  servers: 1,
  agents: 3,
  makePlan: withTurns,
  faults: [],
  plan: { hasTokens: true, changes: [{ wish: 'a token', at: 2 * minute }] },
} as const satisfies LifeOptions;

const ends = [
  ['is killed', 'killed'],
  ['answers 500', 'answers 500'],
] as const;

/** Lets the next rotation end after a step. */
function interrupted(step: (typeof rotationSteps)[number], how: RotationTrouble['ends']) {
  return (fleet: Fleet) =>
    fleet.later(minute, () => {
      const passwords = fleet.api.nodes[0]?.passwords;
      if (passwords) {
        passwords.trouble = { step, ends: how };
      }
    });
}

test('a new join token restarts the server once in its turn, and reaches the agents without a restart', async () => {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
  };
  const { failure } = await live({ ...rotation, prepare });
  expect(failure).toBeUndefined();
  expect(made?.daemons.map(({ node }) => node.k3s.starts)).toEqual([2, 1, 1, 1]);
  expect(made?.turns.turns.map(({ node, wish }) => `${node.name}: ${wish}`)).toEqual([
    expect.stringMatching(/^server-1: token [0-9a-f]{12}$/),
  ]);
});

test('agents keep their join token while the server waits for a person before it accepts the new one', async () => {
  // The drain of the server takes long enough for its Node to be deleted in its turn, before the restart.
  const plan = {
    ...rotation.plan,
    workloads: [{ app: 'store', replicas: 8, minAvailable: 8 }],
    maintenance: {
      concurrency: 1,
      drain: { restart: true, upgrade: true, timeout: '10m', onTimeout: 'proceed' },
    },
  } as const;
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
    fleet.later(2 * minute, () => faults['a Node is deleted in its turn'](fleet));
  };
  const { failure } = await live({ ...rotation, plan, prepare });
  expect(failure).toBeUndefined();
  expect(made?.daemons.map(({ node }) => node.k3s.starts)).toEqual([1, 1, 1, 1]);
  expect(made?.daemons[0]?.conditions).toContainEqual(expect.objectContaining({ reason: 'NodeNotFound' }));
});

test('the simulated fleet notices an agent that does not follow the join token of its server', async () => {
  const wrap: WrapHost = (host, { role }) =>
    changed(host, {
      get: (request) =>
        role === 'agent' && request.url.endsWith('/v1-k3s/readyz')
          ? Promise.resolve({ status: 200, headers: {}, body: '' })
          : host.get(request),
    });
  const { failure } = await live({ ...rotation, wrap });
  expect(failure).toMatch(/agent-1 is not at the wish/);
});

test('a new join token without a consent changes nothing but a condition', async () => {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
  };
  const plan = { hasTokens: true, changes: [{ wish: 'a token without consent', at: 2 * minute }] } as const;
  const { failure } = await live({ ...rotation, plan, prepare });
  expect(failure).toBeUndefined();
  expect(made?.daemons.map(({ node }) => node.k3s.starts)).toEqual([1, 1, 1, 1]);
});

describe.each(rotationSteps)(
  'a rotation of the join token that is interrupted after the step "%s"',
  (step) => {
    test.each(ends)('reaches all nodes if K3s %s', async (_, how) => {
      const { failure } = await live({ ...rotation, prepare: interrupted(step, how) });
      expect(failure).toBeUndefined();
    });
  },
);

test.each([
  ['before the rotation', 'a token', 90],
  ['while the server restarts', 'a token', 125],
  ['after the rotation', 'a token', 200],
  ['with the former token, because the vault has one without a consent', 'a token without consent', 200],
] as const)('a node joins %s', async (_, wish, seconds) => {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
  };
  const changes = [{ wish, at: 2 * minute }];
  const plan = { hasTokens: true, joinsAt: seconds * 1_000, changes } as const;
  const { failure } = await live({ ...rotation, plan, prepare });
  expect(failure).toBeUndefined();
  expect(made?.daemons.at(-1)?.node).toMatchObject({ isJoined: true, k3s: { state: 'active' } });
});

/** Repeats a request that K3s failed halfway through, without a request for the old token in between. */
const withoutOldToken: WrapHost = (host) =>
  changed(host, {
    async send(request) {
      const isOld = request.method === 'PUT' && reveal(request.body ?? '') === '{"newToken":"first-token"}';
      return isOld ? { status: 200, headers: {}, body: '' } : host.send(request);
    },
  });

/** Never sees why K3s did not start. */
const withoutJournal: WrapHost = (host) =>
  changed(host, {
    async query(command) {
      return command.file === 'journalctl' ? { exitCode: 0, stdout: '', stderr: '' } : host.query(command);
    },
  });

test.each([
  ['a rotation that is repeated without the old token', withoutOldToken, 'new row', 'answers 500'],
  ['a K3s that is not repaired after an interrupted rotation', withoutJournal, 'new row', 'killed'],
] as const)('the simulated fleet notices %s', async (_, wrap, step, how) => {
  const { failure } = await live({ ...rotation, wrap, prepare: interrupted(step, how) });
  expect(failure).toMatch(/server-1 is not at the wish/);
});

test('a node that joins after its server has given up a release starts with that of the server', async () => {
  const plan = {
    ...rotation.plan,
    joinsAt: 4 * minute,
    changes: [{ wish: 'a bad release', at: minute }],
  } as const;
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
  };
  const { failure } = await live({ ...rotation, plan, prepare });
  expect(failure).toBeUndefined();
  expect(made?.daemons.at(-1)?.node.k3s.starts).toBe(1);
});
