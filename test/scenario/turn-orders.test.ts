import { describe, expect, test } from 'vitest';
import { giveOrder, type Order, reportTurns } from '../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { memoryHost } from '../lab/memory-host.ts';
import { type Holder, turnsWorld } from './turns-world.ts';

const paths = nodePaths('/');
const settings = { concurrency: '10%', maxFailed: 1, watchFor: 60_000, pause: false };

/** A cluster of a server and two agents that ask for a turn. */
function aFleet() {
  const world = turnsWorld();
  const holder = world.holder('server-1');
  const person = world.holder('server-1');
  for (const name of ['server-1', 'agent-1', 'agent-2']) {
    world.node(name);
  }
  world.ask('agent-1');
  world.ask('agent-2');
  return { world, holder, person, give: (order: Order) => giveOrder(person.host, paths, settings, order) };
}

async function passes(holder: Holder, count = 3): Promise<void> {
  for (let pass = 0; pass < count; pass += 1) {
    await holder.pass();
    holder.host.advance(5_000);
  }
}

function slots({ world }: ReturnType<typeof aFleet>): readonly string[] {
  return world.ledger().slots.map(({ node }) => node);
}

describe('slipway turn', () => {
  test('lists the node in its turn, the waiting node and what it waits for, and the server that grants', async () => {
    const { holder, person, world } = aFleet();
    await passes(holder);
    world.begin('agent-1');
    expect(await reportTurns(person.host, paths, settings)).toEqual({
      holder: 'server-1',
      turns: [
        { node: 'agent-1', wish: 'restart config', state: 'inTurn', message: 'is in its turn' },
        {
          node: 'agent-2',
          wish: 'restart config',
          state: 'waits',
          message: 'waits for agent-1, which goes first',
        },
      ],
      stopped: [],
    });
  });

  test('refuses to run on an agent', async () => {
    await expect(reportTurns(memoryHost(), paths, settings)).rejects.toMatchObject({
      reason: 'ApiUnavailable',
      message: 'Run this on a server of the cluster: /etc/rancher/k3s/k3s.yaml does not exist here.',
    });
  });
});

describe('slipway turn release', () => {
  test('frees a turn that has begun, and no server adopts this turn again', async () => {
    const fleet = aFleet();
    await passes(fleet.holder);
    fleet.world.begin('agent-1');
    await passes(fleet.holder, 20);
    expect(slots(fleet)).toEqual(['agent-1']);
    await fleet.give({ order: 'release', about: 'agent-1' });
    await passes(fleet.holder);
    expect(slots(fleet)).toEqual(['agent-2']);
    expect(fleet.world.turnOf('agent-1').state?.state).toBe('begun');
    fleet.holder.restart();
    await passes(fleet.holder);
    expect(slots(fleet)).toEqual(['agent-2']);
  });

  test('refuses a node without a turn, and changes nothing', async () => {
    const { give, world } = aFleet();
    await expect(give({ order: 'release', about: 'agent-2' })).rejects.toMatchObject({
      reason: 'TurnUnknown',
    });
    expect(world.ledger().slots).toEqual([]);
  });
});

describe('slipway turn continue', () => {
  test('lets other nodes take their turns after a failure', async () => {
    const fleet = aFleet();
    await passes(fleet.holder);
    fleet.world.begin('agent-1');
    fleet.world.end('agent-1', 'rolledBack');
    await passes(fleet.holder, 10);
    expect(slots(fleet)).toEqual([]);
    await expect(fleet.give({ order: 'continue', about: 'reboot' })).rejects.toMatchObject({
      reason: 'TurnUnknown',
    });
    await fleet.give({ order: 'continue', about: 'restart config' });
    await passes(fleet.holder);
    expect(slots(fleet)).toEqual(['agent-2']);
  });
});

describe('slipway turn now', () => {
  test('grants a turn outside the maintenance windows, and marks the grant', async () => {
    const fleet = aFleet();
    fleet.world.ask('agent-1', { closed: true });
    fleet.world.ask('agent-2', { closed: true });
    await passes(fleet.holder);
    expect(slots(fleet)).toEqual([]);
    await fleet.give({ order: 'now', about: 'agent-2' });
    await passes(fleet.holder);
    expect(slots(fleet)).toEqual(['agent-2']);
    expect(fleet.world.turnOf('agent-2').grant?.now).toBe(true);
  });

  test('does not grant the same node a second turn outside its windows', async () => {
    const fleet = aFleet();
    fleet.world.ask('agent-1', { closed: true });
    await fleet.give({ order: 'now', about: 'agent-1' });
    await passes(fleet.holder);
    fleet.world.begin('agent-1');
    fleet.world.end('agent-1');
    await passes(fleet.holder, 16);
    fleet.world.ask('agent-1', { closed: true });
    await passes(fleet.holder);
    expect(slots(fleet)).not.toContain('agent-1');
  });

  test('refuses a node that does not wait for a turn', async () => {
    const { give } = aFleet();
    await expect(give({ order: 'now', about: 'agent-9' })).rejects.toMatchObject({ reason: 'TurnUnknown' });
  });

  test('is written despite concurrent writes to the Lease', async () => {
    const fleet = aFleet();
    await passes(fleet.holder);
    let disturbed = 0;
    fleet.person.through = (request) => {
      if (request.method === 'PATCH' && disturbed < 3) {
        disturbed += 1;
        const lease = ['leases.coordination.k8s.io', 'kube-system', 'slipway-turns'] as const;
        const found = fleet.world.api.objects.get(...lease);
        if (found) {
          const [resource, space] = lease;
          fleet.world.api.objects.put(resource, space, {
            ...found,
            spec: { ...Object(found.spec), renewTime: `${disturbed}` },
          });
        }
      }
      return request;
    };
    await fleet.give({ order: 'now', about: 'agent-2' });
    expect(disturbed).toBe(3);
  });
});
