import { describe, expect, test } from 'vitest';
import type { FleetNode } from '../../../../../../src/agent/parts/maintenance/turn/fleet-node.ts';
import {
  aFailure,
  aRequest,
  aSlot,
  asks,
  decided,
  type FleetFields,
  fleetNode,
  inTurn,
  upgrade,
} from './a-fleet.ts';

type Row = readonly [string, readonly FleetNode[], FleetFields, readonly string[]];

const server = fleetNode('server-1');
const granted = (name: string, wish = 'restart config') => `grant ${name} its turn (${wish})`;
const newer = { version: 'v1.36.4+k3s1' };
const routes = (name: string) => asks(name, 'restart config', { request: aRequest({ routes: true }) });
const closed = asks('agent-1', 'restart config', { request: aRequest({ closed: true }) });
const urgent = (name: string) => asks(name, 'restart config', { request: aRequest({ urgent: true }) });
/** What a Node shows about an upgrade that gets no turn. */
const shown = (why: string) => ({ stopped: [{ wish: upgrade, digest: '3f2a9c1b2d4e', why }] });
const now = { orders: [{ order: 'now', about: 'agent-1' }] } as const;
const two = { settings: { concurrency: 2 }, proven: ['restart config'] };

const rules: readonly Row[] = [
  ['nothing if no node asks', [server, fleetNode('agent-1')], {}, []],
  ['a turn to the only server, without any other node', [asks('server-1')], {}, [granted('server-1')]],
  ['a turn to an agent', [server, asks('agent-1')], {}, [granted('agent-1')]],
  [
    'no turn while the fleet is paused',
    [asks('server-1')],
    { settings: { pause: true } },
    ['server-1 waits while maintenance.pause is set'],
  ],
  [
    'no turn to a node that is held',
    [asks('server-1', 'reboot', { isHeld: true })],
    {},
    ['server-1 is held'],
  ],
  [
    'no turn after the ledger was lost',
    [asks('server-1')],
    { seen: { isRecovering: true } },
    ['server-1 waits until the turns are known again'],
  ],
  [
    'no turn to a node that does not report',
    [server, asks('agent-1', 'reboot', { ready: 'Unknown' })],
    {},
    ['agent-1 does not report'],
  ],
  [
    'a turn to a node that is not Ready after those that are',
    [server, asks('agent-1', 'reboot', { ready: 'False' }), asks('agent-2', 'reboot')],
    {},
    [granted('agent-2', 'reboot')],
  ],
  [
    'no turn outside the maintenance windows',
    [server, closed],
    {},
    ['agent-1 waits for its maintenance window'],
  ],
  ['a turn outside the windows if a person lets the node pass', [server, closed], now, [granted('agent-1')]],
  [
    'no turn to a node that left its last turn a short while ago',
    [server, asks('agent-1')],
    { seen: { resting: ['agent-1'] } },
    ['agent-1 left its last turn and waits ten minutes'],
  ],
  [
    'no turn to a second server while the first has one',
    [inTurn('server-1'), asks('server-2')],
    { slots: [aSlot('server-1')] },
    ['server-2 waits for server-1'],
  ],
  [
    'no turn to a server while another one is not Ready',
    [fleetNode('server-1', { ready: 'False' }), asks('server-2')],
    {},
    ['server-2 waits for server-1, which is not Ready'],
  ],
  [
    'no turn to a server while another one does not report, although a third one serves',
    [fleetNode('server-1', { ready: 'Unknown' }), asks('server-2'), fleetNode('server-3')],
    {},
    ['server-2 waits for server-1, which is not Ready'],
  ],
  [
    'no turn to a server while another one is Ready and does not vote in etcd',
    [fleetNode('server-1', { serves: false }), asks('server-2')],
    {},
    ['server-2 waits for server-1, which does not vote in etcd'],
  ],
  [
    'no turn to a second server while the first one has ended its turn and does not vote in etcd',
    [inTurn('server-1', 'done', { serves: false }), asks('server-2')],
    { slots: [aSlot('server-1')] },
    ['server-2 waits for server-1'],
  ],
  [
    'no turn to a second server in place of one that was deleted in its turn',
    [asks('server-2'), fleetNode('server-3')],
    { slots: [aSlot('server-1')] },
    ['server-2 waits for server-1'],
  ],
  [
    'a turn to a server whose certificates expire soon, although another server does not serve and an agent failed',
    [fleetNode('server-1', { serves: false }), urgent('server-2')],
    { failures: [aFailure('agent-1', 'restart config')] },
    [granted('server-2')],
  ],
  [
    'no turn to a server whose certificates expire soon while another server has its turn',
    [inTurn('server-1'), urgent('server-2')],
    { slots: [aSlot('server-1')] },
    ['server-2 waits for server-1'],
  ],
  [
    'a turn to a server that a person lets pass, although another one does not serve',
    [fleetNode('server-1', { serves: false }), asks('server-2')],
    { orders: [{ order: 'now', about: 'server-2' }] },
    [granted('server-2')],
  ],
  [
    'a turn to a server that is the only one that does not serve',
    [asks('server-1', 'restart config', { ready: 'False' }), fleetNode('server-2')],
    {},
    [granted('server-1')],
  ],
  [
    'no turn to a server while an agent has one',
    [asks('server-1'), inTurn('agent-1')],
    { slots: [aSlot('agent-1')] },
    ['server-1 waits for agent-1'],
  ],
  [
    'no turn to an agent while a server has one',
    [inTurn('server-1'), asks('agent-1', 'reboot')],
    { slots: [aSlot('server-1')] },
    ['agent-1 waits for server-1'],
  ],
  [
    'a turn to a server before an agent with the same wish',
    [asks('agent-1'), asks('server-1')],
    {},
    ['agent-1 waits for server-1', granted('server-1')],
  ],
  [
    'no turn to another agent while a server waits only for agents',
    [asks('server-1', 'reboot'), inTurn('agent-1'), asks('agent-2')],
    { ...two, slots: [aSlot('agent-1')] },
    ['agent-2 waits for server-1', 'server-1 waits for agent-1'],
  ],
  [
    'a turn to an agent while the server with the same wish is held',
    [asks('agent-1'), asks('server-1', 'restart config', { isHeld: true })],
    {},
    [granted('agent-1'), 'server-1 is held'],
  ],
  [
    'no upgrade to an agent before every server runs the release',
    [fleetNode('server-1', newer), server, fleetNode('server-2'), asks('agent-1', upgrade)],
    {},
    ['agent-1 waits for server-1, which runs v1.36.3+k3s1'],
  ],
  [
    'no upgrade to an agent while the release of a server is unknown',
    [fleetNode('server-1', { version: '' }), asks('agent-1', upgrade)],
    {},
    ['agent-1 waits for server-1, which runs an unknown release'],
  ],
  [
    'an upgrade to an agent once every server runs the release',
    [fleetNode('server-1', newer), asks('agent-1', upgrade)],
    {},
    [granted('agent-1', upgrade)],
  ],
  [
    'no upgrade that leaves an agent more than three minor versions behind',
    [fleetNode('server-1', { version: 'v1.40.1+k3s1' }), asks('agent-1', upgrade)],
    {},
    ['agent-1 wants a release more than 3 minor versions older than that of server-1'],
  ],
  [
    'no upgrade to a server that is two minor versions away from another one',
    [asks('server-1', upgrade), fleetNode('server-2', { version: 'v1.34.9+k3s1' })],
    {},
    ['server-1 waits for server-2, which runs v1.34.9+k3s1'],
  ],
  [
    'no upgrade to a server that leaves an agent four minor versions behind',
    [asks('server-1', upgrade), fleetNode('agent-1', { version: 'v1.32.9+k3s1' })],
    {},
    ['server-1 waits for agent-1, which runs v1.32.9+k3s1'],
  ],
  [
    'an upgrade to a server beside an agent three minor versions behind',
    [asks('server-1', upgrade), fleetNode('agent-1', { version: 'v1.33.9+k3s1' })],
    {},
    [granted('server-1', upgrade)],
  ],
  [
    'the first turn for a wish to one agent alone',
    [server, inTurn('agent-1'), asks('agent-2'), asks('agent-3')],
    { slots: [aSlot('agent-1')], settings: { concurrency: 3 } },
    ['agent-2 waits for agent-1, which goes first', 'agent-3 waits for agent-1, which goes first'],
  ],
  [
    'further turns, up to the limit, once the first agent has succeeded',
    [server, inTurn('agent-1'), asks('agent-2'), asks('agent-10')],
    { ...two, slots: [aSlot('agent-1')] },
    [granted('agent-2')],
  ],
  [
    'no turn beyond the limit',
    [server, inTurn('agent-1'), inTurn('agent-2'), asks('agent-3')],
    { ...two, slots: [aSlot('agent-1'), aSlot('agent-2')] },
    ['agent-3 waits for agent-1'],
  ],
  [
    'no second turn if the limit is 10 % of four agents',
    [server, inTurn('agent-1'), asks('agent-2'), fleetNode('agent-3'), fleetNode('agent-4')],
    { proven: ['restart config'], slots: [aSlot('agent-1')] },
    ['agent-2 waits for agent-1'],
  ],
  [
    'no turn to a node that routes while another node has one',
    [server, inTurn('agent-1'), routes('agent-2')],
    { ...two, slots: [aSlot('agent-1')] },
    ['agent-2 waits for agent-1'],
  ],
  [
    'no turn beside a node that routes',
    [server, inTurn('agent-1'), asks('agent-2')],
    { ...two, slots: [aSlot('agent-1', { routes: true })] },
    ['agent-2 waits for agent-1'],
  ],
  [
    'no turn for a wish with which a node failed',
    [server, asks('agent-2', upgrade, shown('waits because agent-1 failed')), asks('agent-3', 'reboot')],
    { failures: [aFailure('agent-1', upgrade)] },
    [granted('agent-3', 'reboot'), 'agent-2 waits because agent-1 failed'],
  ],
  [
    'a turn to another node while fewer than maxFailed nodes failed',
    [
      fleetNode('server-1', newer),
      asks('agent-1', upgrade, shown('failed in its last turn')),
      asks('agent-2', upgrade),
    ],
    { failures: [aFailure('agent-1', upgrade)], settings: { maxFailed: 2 } },
    [granted('agent-2', upgrade), 'agent-1 failed in its last turn'],
  ],
];

describe('decide grants', () => {
  test.each(rules)('%s', (_, nodes, fields, expected) => {
    expect(decided(nodes, fields).toSorted()).toEqual(expected.toSorted());
  });

  test('a turn before all others to the node that a person lets pass', () => {
    const nodes = [asks('server-1'), asks('agent-1'), asks('agent-2')];
    expect(decided(nodes, { orders: [{ order: 'now', about: 'agent-2' }] })[0]).toBe(granted('agent-2'));
  });

  test('no turn to a node that a person lets pass while a server is in its turn', () => {
    const fields = { orders: [{ order: 'now', about: 'agent-1' }], slots: [aSlot('server-1')] } as const;
    expect(decided([inTurn('server-1'), asks('agent-1')], fields)).toEqual(['agent-1 waits for server-1']);
  });
});
