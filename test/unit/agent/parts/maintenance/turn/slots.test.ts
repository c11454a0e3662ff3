import { describe, expect, test } from 'vitest';
import type { FleetNode } from '../../../../../../src/agent/parts/maintenance/turn/fleet-node.ts';
import {
  aFailure,
  aRequest,
  aSlot,
  aState,
  asks,
  decided,
  type FleetFields,
  fleetNode,
  inTurn,
  nonceOf,
  offered,
} from './a-fleet.ts';

type Row = readonly [string, FleetNode | undefined, FleetFields, string | undefined];

const minute = 60_000;
const of = (name: string) => ({ slots: [aSlot(name)] });
const seen = (name: string, lasted: number) => ({
  slots: [aSlot(name)],
  seen: { lasted: { [nonceOf(name)]: lasted } },
});
const freed = (name: string) => `end the turn of ${name} (restart config)`;
const withdrawn = (why: string) => `withdraw the turn of agent-1, because ${why}`;
const failed = (name: string, why: string) => `note that ${name} failed in its turn (restart config): ${why}`;
const lost = 'it has not served for ten minutes in its turn';
const away = { ready: 'Unknown' } as const;

const rules: readonly Row[] = [
  [
    'writes the grant again if it is missing on the Node',
    asks('agent-1'),
    of('agent-1'),
    'write the turn of agent-1 to its Node',
  ],
  ['waits for a node that has not begun', offered('agent-1'), seen('agent-1', 299_999), undefined],
  [
    'withdraws a turn that was not begun in time',
    offered('agent-1'),
    seen('agent-1', 300_000),
    withdrawn('it did not begin'),
  ],
  [
    'withdraws the turn of a node that does not ask any more',
    offered('agent-1', '', { request: undefined }),
    of('agent-1'),
    withdrawn('the node does not ask for it any more'),
  ],
  [
    'withdraws the turn of a node that wants something else',
    offered('agent-1', '', { request: aRequest({ digest: 'aaaaaaaaaaaa' }) }),
    of('agent-1'),
    withdrawn('the node does not ask for it any more'),
  ],
  [
    'withdraws a turn that was granted before a reboot',
    offered('agent-1', '', { request: aRequest({ boot: '99999999' }) }),
    of('agent-1'),
    withdrawn('the node does not ask for it any more'),
  ],
  [
    'withdraws the turn of a node whose window has closed',
    offered('agent-1', '', { request: aRequest({ closed: true }) }),
    of('agent-1'),
    withdrawn('its maintenance window has closed'),
  ],
  [
    'keeps a turn outside the windows if a person ordered it',
    offered('agent-1', '', { request: aRequest({ closed: true }) }),
    { slots: [aSlot('agent-1', { now: true })] },
    undefined,
  ],
  [
    'withdraws the turn of a node that is held',
    offered('agent-1', '', { request: aRequest(), isHeld: true }),
    of('agent-1'),
    withdrawn('the node is held'),
  ],
  [
    'withdraws a turn while the fleet is paused',
    offered('agent-1'),
    { ...of('agent-1'), settings: { pause: true } },
    withdrawn('maintenance.pause is set'),
  ],
  [
    'withdraws a turn for a wish with which another node failed',
    offered('agent-1'),
    { ...of('agent-1'), failures: [aFailure('agent-2', 'restart config')] },
    withdrawn('agent-2 failed'),
  ],
  [
    'frees a turn that was withdrawn',
    asks('agent-1', '', { withdrawn: nonceOf('agent-1'), request: undefined }),
    of('agent-1'),
    freed('agent-1'),
  ],
  [
    'never withdraws a turn that was begun',
    inTurn('agent-1', 'begun', { request: undefined, isHeld: true }),
    { ...seen('agent-1', 500 * minute), settings: { pause: true } },
    undefined,
  ],
  [
    'never frees the slot of a server because of its age',
    inTurn('server-1'),
    seen('server-1', 500 * minute),
    undefined,
  ],
  [
    'frees the slot of a server that is done and serves',
    inTurn('server-1', 'done'),
    of('server-1'),
    freed('server-1'),
  ],
  [
    'keeps the slot of a server that is done and does not serve',
    inTurn('server-1', 'done', { serves: false }),
    of('server-1'),
    undefined,
  ],
  [
    'keeps the slot of the first agent for a minute',
    inTurn('agent-1', 'done'),
    seen('agent-1', minute - 1),
    undefined,
  ],
  [
    'frees the slot of the first agent after a minute',
    inTurn('agent-1', 'done'),
    seen('agent-1', minute),
    freed('agent-1'),
  ],
  [
    'keeps the slot of the first agent for as long as maintenance.watchFor says',
    inTurn('agent-1', 'done'),
    { ...seen('agent-1', 10 * minute - 1), settings: { watchFor: 10 * minute } },
    undefined,
  ],
  [
    'frees the slot of the first agent after maintenance.watchFor',
    inTurn('agent-1', 'done'),
    { ...seen('agent-1', 10 * minute), settings: { watchFor: 10 * minute } },
    freed('agent-1'),
  ],
  [
    'frees the slot of a later agent at once',
    inTurn('agent-1', 'done'),
    { ...of('agent-1'), proven: ['restart config'] },
    freed('agent-1'),
  ],
  ['frees the slot of an agent that gave up', inTurn('agent-1', 'gaveUp'), of('agent-1'), freed('agent-1')],
  [
    'notes a node that rolled back as failed',
    inTurn('agent-1', 'rolledBack'),
    of('agent-1'),
    failed('agent-1', 'it went back to what it ran before'),
  ],
  [
    'frees the slot of a failed node once it serves',
    inTurn('agent-1', 'rolledBack'),
    { ...of('agent-1'), failures: [aFailure('agent-1', 'restart config')] },
    freed('agent-1'),
  ],
  [
    'waits for a node that does not serve in its turn',
    inTurn('agent-1', 'begun', away),
    seen('agent-1', 10 * minute - 1),
    undefined,
  ],
  [
    'notes a node that does not serve for ten minutes as failed',
    inTurn('agent-1', 'begun', away),
    seen('agent-1', 10 * minute),
    failed('agent-1', lost),
  ],
  [
    'notes a server that stays away after its turn as failed',
    inTurn('server-1', 'done', { serves: false }),
    seen('server-1', 10 * minute),
    failed('server-1', lost),
  ],
  [
    'keeps the slot of a node that failed and is away',
    inTurn('agent-1', 'begun', away),
    { ...seen('agent-1', 500 * minute), failures: [aFailure('agent-1', 'restart config')] },
    undefined,
  ],
  ['waits for a deleted Node', undefined, seen('agent-1', minute), undefined],
  [
    'notes a node whose Node stays deleted as failed',
    undefined,
    seen('agent-1', 10 * minute),
    failed('agent-1', lost),
  ],
  [
    'frees the slot of a deleted agent once it counts as failed',
    undefined,
    { ...seen('agent-1', 10 * minute), failures: [aFailure('agent-1', 'restart config')] },
    freed('agent-1'),
  ],
  [
    'keeps the slot of a deleted server that counts as failed',
    undefined,
    { ...seen('server-1', 500 * minute), failures: [aFailure('server-1', 'restart config')] },
    undefined,
  ],
  [
    'waits a minute for a Node that was created again',
    fleetNode('server-1', { uid: 'other' }),
    seen('server-1', minute - 1),
    undefined,
  ],
  [
    'waits a minute for a Node that was created again, however short maintenance.watchFor is',
    fleetNode('server-1', { uid: 'other' }),
    { ...seen('server-1', minute - 1), settings: { watchFor: 1 } },
    undefined,
  ],
  [
    'notes a node as failed whose Node was created again and says that it rolled back',
    inTurn('server-1', 'rolledBack', { uid: 'other' }),
    seen('server-1', minute),
    failed('server-1', 'it went back to what it ran before'),
  ],
  [
    'frees the slot of a Node that was created again and says that it rolled back another change',
    fleetNode('server-1', {
      uid: 'other',
      state: aState('server-1', 'rolledBack', { digest: 'aaaaaaaaaaaa' }),
    }),
    seen('server-1', minute),
    freed('server-1'),
  ],
  [
    'frees the slot of a Node that was created again and serves',
    fleetNode('server-1', { uid: 'other' }),
    seen('server-1', minute),
    freed('server-1'),
  ],
];

describe('decide', () => {
  test.each(rules)('%s', (_, node, fields, expected) => {
    expect(decided(node ? [node] : [], fields)).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe('decide, once another server has stopped serving,', () => {
  const away = fleetNode('server-2', { ready: 'Unknown' });
  const learner = fleetNode('server-2', { serves: false });
  const urgent = offered('server-1', '', { request: aRequest({ urgent: true }) });

  test.each([
    ['withdraws the turn of a server', offered('server-1'), away, {}, 'server-2 does not serve'],
    [
      'withdraws the turn of a server if the other one does not vote in etcd',
      offered('server-1'),
      learner,
      {},
      'server-2 does not serve',
    ],
    ['keeps the turn of a server that has begun', inTurn('server-1'), away, {}, undefined],
    ['keeps a turn that a person ordered', offered('server-1'), away, { now: true }, undefined],
    ['keeps the turn of a server whose certificates expire soon', urgent, away, {}, undefined],
    ['keeps the turn of an agent', offered('agent-1'), away, {}, undefined],
  ] as const)('%s', (_, node, other, slot, why) => {
    const withdrawn = why && `withdraw the turn of ${node.name}, because ${why}`;
    const fields = { slots: [aSlot(node.name, slot)] };
    expect(decided([node, other], fields)).toEqual(withdrawn === undefined ? [] : [withdrawn]);
  });

  test('keeps the turn of a server that alone does not serve', () => {
    const node = offered('server-1', '', { ready: 'False', request: aRequest() });
    expect(decided([node, fleetNode('server-2')], { slots: [aSlot('server-1')] })).toEqual([]);
  });
});
