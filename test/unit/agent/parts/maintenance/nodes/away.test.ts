import { expect, test } from 'vitest';
import { type AwayMemory, observeAway } from '../../../../../../src/agent/parts/maintenance/nodes/away.ts';
import type { FleetNode } from '../../../../../../src/agent/parts/maintenance/turn/fleet-node.ts';
import { fleetNode } from '../turn/a-fleet.ts';

const minute = 60_000;

/** Returns a function that looks at nodes at a minute, and returns the names of those that are away. */
function looks() {
  const memory: AwayMemory = new Map();
  return (at: number, ...nodes: readonly FleetNode[]) => {
    const { long, after } = observeAway(memory, nodes, at * minute);
    return { away: long.map(({ name }) => name), after };
  };
}

function away(name: string, fields: Partial<FleetNode> = {}): FleetNode {
  return fleetNode(name, { ready: 'Unknown', readySince: '2026-01-01T00:00:00Z', ...fields });
}

test('a node is away once it has been seen not Ready for ten minutes', () => {
  const look = looks();
  expect(look(0, away('agent-1'), fleetNode('agent-2'))).toEqual({ away: [], after: 10 * minute });
  expect(look(9, away('agent-1'), fleetNode('agent-2'))).toEqual({ away: [], after: minute });
  expect(look(10, away('agent-1'), fleetNode('agent-2'))).toEqual({ away: ['agent-1'] });
});

test.each([
  ['was Ready meanwhile', fleetNode('agent-1')],
  ['was deleted meanwhile', undefined],
])('the ten minutes begin anew if the node %s', (_, between) => {
  const look = looks();
  look(0, away('agent-1'));
  look(5, ...(between ? [between] : []));
  expect(look(10, away('agent-1')).away).toEqual([]);
  expect(look(19, away('agent-1')).away).toEqual([]);
  expect(look(20, away('agent-1')).away).toEqual(['agent-1']);
});

test.each([
  ['the time of its Ready condition has changed', { readySince: '2026-01-01T00:05:00Z' }],
  ['its Node was created again', { uid: 'another' }],
  ['kubelet has reported meanwhile', { ready: 'False' as const }],
])('the ten minutes begin anew if %s', (_, fields) => {
  const look = looks();
  look(0, away('agent-1'));
  expect(look(10, away('agent-1', fields)).away).toEqual([]);
});

test('the time of the Ready condition does not count, however old it is', () => {
  expect(looks()(0, away('agent-1', { readySince: '1970-01-01T00:00:00Z' })).away).toEqual([]);
});
