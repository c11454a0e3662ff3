import { expect, test } from 'vitest';
import { type AwayMemory, observeAway } from '../../../../../../src/agent/parts/maintenance/nodes/away.ts';
import type { FleetNode } from '../../../../../../src/agent/parts/maintenance/turn/fleet-node.ts';
import { fleetNode } from '../turn/a-fleet.ts';

const minute = 60_000;

/**
 * Returns a function that looks at nodes each minute until a minute, and returns the names of those that are away. Its
 * `skip` lets minutes pass without a look.
 */
function looks() {
  const memory: AwayMemory = new Map();
  let next = 0;
  const look = (until: number, ...nodes: readonly FleetNode[]) => {
    for (; next < until; next += 1) {
      observeAway(memory, nodes, next * minute);
    }
    next = until + 1;
    const { long, after } = observeAway(memory, nodes, until * minute);
    return { away: long.map(({ name }) => name), after };
  };
  const skip = (minutes: number) => {
    next += minutes;
  };
  return Object.assign(look, { skip });
}

function away(name: string, fields: Partial<FleetNode> = {}): FleetNode {
  return fleetNode(name, { ready: 'Unknown', readySince: '2026-01-01T00:00:00Z', ...fields });
}

test('a node is away once it has been seen without reports for ten minutes', () => {
  const look = looks();
  expect(look(0, away('agent-1'), fleetNode('agent-2'))).toEqual({ away: [], after: minute });
  expect(look(9, away('agent-1'), fleetNode('agent-2'))).toEqual({ away: [], after: minute });
  expect(look(10, away('agent-1'), fleetNode('agent-2'))).toEqual({ away: ['agent-1'], after: minute });
});

test.each([
  ['was Ready meanwhile', fleetNode('agent-1')],
  ['was deleted meanwhile', undefined],
])('the ten minutes begin anew if the node %s', (_, between) => {
  const look = looks();
  look(4, away('agent-1'));
  look(5, ...(between ? [between] : []));
  expect(look(15, away('agent-1')).away).toEqual([]);
  expect(look(16, away('agent-1')).away).toEqual(['agent-1']);
});

test.each([
  ['the time of its Ready condition has changed', { readySince: '2026-01-01T00:05:00Z' }],
  ['its Node was created again', { uid: 'another' }],
])('the ten minutes begin anew if %s', (_, fields) => {
  const look = looks();
  look(9, away('agent-1'));
  expect(look(10, away('agent-1', fields)).away).toEqual([]);
  expect(look(18, away('agent-1', fields)).away).toEqual([]);
});

test('the ten minutes begin anew after more than two minutes without a look', () => {
  const look = looks();
  look(5, away('agent-1'));
  look.skip(1);
  expect(look(7, away('agent-1')).away).toEqual([]);
  expect(look(10, away('agent-1')).away).toEqual(['agent-1']);
  look.skip(2);
  expect(look(22, away('agent-1')).away).toEqual([]);
  expect(look(23, away('agent-1')).away).toEqual(['agent-1']);
});

test('a node whose kubelet reports that it is not Ready is not away', () => {
  const look = looks();
  expect(look(30, away('agent-1', { ready: 'False' }))).toEqual({ away: [] });
});

test('the time of the Ready condition does not count, however old it is', () => {
  expect(looks()(0, away('agent-1', { readySince: '1970-01-01T00:00:00Z' })).away).toEqual([]);
});
