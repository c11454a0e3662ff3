import { expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { Host } from '../../src/agent/engine/host.ts';
import { openGate } from '../../src/agent/parts/k3s/gate.ts';
import { tokenKey } from '../../src/agent/parts/maintenance/turn/annotations.ts';
import type { WrapHost } from './daemon.ts';
import type { Fleet } from './fleet.ts';
import { type LifeOptions, live } from './live.ts';
import { withTurns } from './plans.ts';
import { changed } from './planted.ts';

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

test('three servers take a new join token, and restart with it one after the other, each once', async () => {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
  };
  const { failure } = await live({ ...rotation, prepare });
  expect(failure).toBeUndefined();
  expect(made?.daemons.map(({ node }) => node.k3s.starts)).toEqual([2, 2, 2, 1, 1]);
  expect(made?.turns.turns.map(({ node }) => node.name).toSorted()).toEqual([
    'server-1',
    'server-2',
    'server-3',
  ]);
});

test('another server completes the rotation of one that loses power after K3s has stored the token', async () => {
  const prepare = (fleet: Fleet) =>
    fleet.later(minute, () => {
      const [first] = fleet.daemons;
      if (first?.node.passwords) {
        first.node.passwords.onRotated = () => fleet.losePower(first, 30 * 60);
      }
    });
  const { failure } = await live({ ...rotation, prepare });
  expect(failure).toBeUndefined();
});

test('a server that registers its Node only while another one is in its turn takes the new join token', async () => {
  // With this seed, K3s starts slowly on server-3, and the API fails after the grant for server-1.
  const { faults: _, ...drawn } = rotation;
  const verdict = await live({ ...drawn, seed: 15 });
  expect(verdict.faults).toEqual(['the API fails']);
  expect(verdict.failure).toBeUndefined();
});

test('servers take a new join token although another unit has started K3s on one, which restarts in its turn', async () => {
  let made: Fleet | undefined;
  const prepare = (fleet: Fleet) => {
    made = fleet;
    // The unit of Slipway would make this folder and a stamp.
    fleet.later(2 * minute, () => fleet.daemons[2]?.node.machine.files.remove('/run/slipway-k3s'));
  };
  const { failure } = await live({ ...rotation, prepare });
  expect(failure).toBeUndefined();
  expect(made?.daemons.map(({ node }) => node.k3s.starts)).toEqual([2, 2, 2, 1, 1]);
});

test('the simulated fleet notices servers that restart with a new join token without a turn', async () => {
  const makePlan = (fleet: Fleet) => withTurns(fleet, { tokenGate: openGate });
  expect((await live({ ...rotation, makePlan })).failure).toMatch(
    /without a turn|two servers are interrupted/,
  );
});

/** Lets the servers believe that every server is Ready, and that those with these names have the new join token. */
function believing(host: Host, names: RegExp): Host {
  return changed(host, {
    async get(request) {
      const response = await host.get(request);
      if (!/\/api\/v1\/nodes\?/.test(request.url)) {
        return response;
      }
      const list = JSON.parse(response.body.replaceAll('"status":"Unknown"', '"status":"True"'));
      const token = JSON.stringify({ to: sha256('token-1').slice(0, 12), state: 'file' });
      for (const { metadata } of list.items ?? []) {
        if (names.test(metadata.name)) {
          metadata.annotations = { ...metadata.annotations, [tokenKey]: token };
        }
      }
      return { ...response, body: JSON.stringify(list) };
    },
  });
}

test('the simulated fleet notices a server that restarts before all servers have the new join token', async () => {
  const wrap: WrapHost = (host, node) =>
    changed(believing(host, /server/), {
      obtain: (what, fetch) =>
        node.name === 'server-3'
          ? Promise.reject(new NodeError('Unreachable', 'off'))
          : host.obtain(what, fetch),
    });
  expect((await live({ ...rotation, wrap })).failure).toMatch(/before server-\d has the new join token/);
});

test('the simulated fleet notices a server that restarts while another one has been away for long', async () => {
  const prepare = (fleet: Fleet) =>
    fleet.later(minute, () => {
      const [, , third] = fleet.daemons;
      if (third) {
        fleet.losePower(third, 60 * 60);
      }
    });
  const plan = { ...rotation.plan, changes: [{ wish: 'a token', at: 10 * minute }] } as const;
  expect(
    (await live({ ...rotation, plan, prepare, wrap: (host) => believing(host, /server-3/) })).failure,
  ).toMatch(/while server-3 is away/);
});
