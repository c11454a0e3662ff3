import { expect, test } from 'vitest';
import { shortDigest } from '../../../../../../src/agent/engine/digest.ts';
import {
  consentSubject,
  keptBecause,
  nodeAndVm,
} from '../../../../../../src/agent/parts/maintenance/nodes/remove-node.ts';
import { emptyLedger } from '../../../../../../src/agent/parts/maintenance/turn/ledger.ts';
import { aSlot, fleetNode, inTurn } from '../turn/a-fleet.ts';

const silent = { ready: 'Unknown' } as const;

test.each([
  ['a server', fleetNode('server-1', silent), [], 'is a server'],
  ['a Ready node', fleetNode('agent-1'), [], 'is Ready'],
  ['a running node', fleetNode('agent-1', { ready: 'False' }), [], 'is running, although not Ready'],
  [
    'a silent node that has begun its turn',
    inTurn('agent-1', 'begun', silent),
    [],
    'is in its turn, which slipway turn release agent-1 ends',
  ],
  [
    'a silent node that has a turn',
    fleetNode('agent-1', silent),
    [aSlot('agent-1')],
    'is in its turn, which slipway turn release agent-1 ends',
  ],
  ['a silent node beside one that has a turn', fleetNode('agent-1', silent), [aSlot('agent-2')], undefined],
  ['a silent node', fleetNode('agent-1', silent), [], undefined],
])('keptBecause returns the reason for %s', (_, node, slots, expected) => {
  expect(keptBecause(node, { ledger: { ...emptyLedger, slots } })).toBe(expected);
});

test('nodeAndVm and consentSubject name the VM of a node only if the Node shows it', () => {
  const known = fleetNode('agent-1', { vmId: 'aaaa-1111' });
  expect([nodeAndVm(known), consentSubject(known)]).toEqual([
    'agent-1 (VM aaaa-1111)',
    `agent-1@${shortDigest('aaaa-1111')}`,
  ]);
  const unknown = fleetNode('agent-1');
  expect([nodeAndVm(unknown), consentSubject(unknown)]).toEqual(['agent-1', 'agent-1']);
});
