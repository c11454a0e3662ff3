import { expect, test } from 'vitest';
import { tellStopped } from '../../../../../../src/agent/parts/maintenance/turn/tell-stopped.ts';
import { aFailure, aFleet, aRequest, aSlot, asks, type FleetFields, fleetNode, inTurn } from './a-fleet.ts';

const digest = '3f2a9c1b2d4e';
const failed = { failures: [aFailure('agent-1', 'reboot')] };
const stopped = [{ wish: 'reboot', digest, why: 'waits because agent-1 failed' }];

/** Returns what is to be written on each Node that has to change. */
function told(nodes: Parameters<typeof aFleet>[0], fields: FleetFields = {}) {
  return tellStopped(aFleet(nodes, fields)).flatMap((action) =>
    action.kind === 'tell' ? [[action.node.name, action.stopped] as const] : [],
  );
}

test('tellStopped shows a node that its wish gets no turn because another node failed', () => {
  expect(told([asks('agent-2', 'reboot'), asks('agent-3')], failed)).toEqual([['agent-2', stopped]]);
});

test('tellStopped shows a node that it failed itself', () => {
  expect(told([asks('agent-1', 'reboot')], { ...failed, settings: { maxFailed: 2 } })).toEqual([
    ['agent-1', [{ wish: 'reboot', digest, why: 'failed in its last turn' }]],
  ]);
});

test('tellStopped shows nothing again', () => {
  expect(told([asks('agent-2', 'reboot', { stopped })], failed)).toEqual([]);
});

test('tellStopped keeps a stopped wish while the node asks for another one, and adds that one if it is stopped too', () => {
  const request = aRequest({ wish: 'restart config', digest: 'bbbbbbbbbbbb' });
  const node = asks('agent-2', 'restart config', { stopped, request });
  expect(told([node], failed)).toEqual([]);
  const both = { failures: [...failed.failures, aFailure('agent-3', 'restart config')] };
  expect(told([node], both)).toEqual([
    [
      'agent-2',
      [...stopped, { wish: 'restart config', digest: 'bbbbbbbbbbbb', why: 'waits because agent-3 failed' }],
    ],
  ]);
});

test('tellStopped removes a wish once turns for it go on, even if the node asks for nothing', () => {
  expect(told([fleetNode('agent-2', { stopped })])).toEqual([['agent-2', []]]);
});

test('tellStopped shows at most five wishes, the newest last', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const failures = names.map((name) => aFailure('agent-1', name));
  const shown = names
    .slice(0, 5)
    .map((wish, at) => ({ wish, digest: `${at}`.repeat(12), why: 'waits because agent-1 failed' }));
  const request = aRequest({ wish: 'f', digest: 'ffffffffffff' });
  const wishes = told([asks('agent-2', 'f', { stopped: shown, request })], { failures }).flatMap(
    ([, stopped]) => stopped.map(({ wish }) => wish),
  );
  expect(wishes).toEqual(['b', 'c', 'd', 'e', 'f']);
});

test('tellStopped shows nothing about an urgent wish, or to a node in its turn', () => {
  const urgent = asks('agent-2', 'reboot', { request: aRequest({ wish: 'reboot', urgent: true }) });
  expect(told([urgent], failed)).toEqual([]);
  const fields = { failures: [aFailure('agent-2', 'restart config')], slots: [aSlot('agent-1')] };
  expect(told([inTurn('agent-1')], fields)).toEqual([]);
});
