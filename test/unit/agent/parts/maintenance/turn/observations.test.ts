import { describe, expect, test } from 'vitest';
import type { FleetNode } from '../../../../../../src/agent/parts/maintenance/turn/fleet-node.ts';
import { emptyLedger } from '../../../../../../src/agent/parts/maintenance/turn/ledger.ts';
import {
  observe,
  phaseOf,
  recovery,
  turnMemory,
} from '../../../../../../src/agent/parts/maintenance/turn/observations.ts';
import { aSlot, asks, fleetNode, inTurn, nonceOf, offered } from './a-fleet.ts';

const slot = aSlot('agent-1');
const nonce = nonceOf('agent-1');
const ledger = { ...emptyLedger, changes: 1, slots: [slot] };

describe('phaseOf', () => {
  test.each([
    ['gone without a Node', undefined, 'gone'],
    ['gone if the Node was created again', fleetNode('agent-1', { uid: 'other' }), 'gone'],
    ['offered before the grant is on the Node', asks('agent-1'), 'offered'],
    ['offered while the node has not begun', offered('agent-1'), 'offered'],
    [
      'offered while the Node shows an earlier turn',
      offered('agent-1', '', {
        state: { nonce: '11111111', digest: slot.digest, wish: 'w', state: 'done', message: '' },
      }),
      'offered',
    ],
    ['begun once the node has begun its turn', inTurn('agent-1'), 'begun'],
    ['ended when it is done', inTurn('agent-1', 'done'), 'ended'],
    ['ended when the node rolled back', inTurn('agent-1', 'rolledBack'), 'ended'],
    ['withdrawn once the grant is withdrawn', asks('agent-1', '', { withdrawn: nonce }), 'withdrawn'],
    [
      'withdrawn when a begun turn was released',
      inTurn('agent-1', 'begun', { withdrawn: nonce }),
      'withdrawn',
    ],
  ] as const)('is %s', (_, node, expected) => {
    expect(phaseOf(slot, node)).toBe(expected);
  });
});

/** Observes the node of the slot at each time, in milliseconds, and returns the last observations. */
function afterSteps(steps: readonly (readonly [number, FleetNode])[]) {
  const memory = turnMemory();
  return steps.map(([now, node]) => observe(memory, { nodes: [node], ledger }, now)).at(-1);
}

describe('observe', () => {
  test('returns how long a node has been in its phase', () => {
    expect(
      afterSteps([
        [5, inTurn('agent-1', 'done')],
        [50_005, inTurn('agent-1', 'done')],
      ])?.lasted,
    ).toEqual({ [nonce]: 50_000 });
  });

  test.each([
    ['the phase changes', inTurn('agent-1', 'done')],
    ['the node stops serving', inTurn('agent-1', 'begun', { serves: false })],
  ])('counts from zero again if %s', (_, node) => {
    expect(
      afterSteps([
        [0, inTurn('agent-1')],
        [40_000, node],
        [45_000, node],
      ])?.lasted,
    ).toEqual({ [nonce]: 5_000 });
  });

  test('does not count a time in which nothing was seen', () => {
    const node = inTurn('agent-1');
    expect(
      afterSteps([
        [0, node],
        [50_000, node],
        [110_001, node],
      ])?.lasted,
    ).toEqual({ [nonce]: 0 });
  });

  test.each([
    ['a turn that was not begun in time', offered('agent-1'), 300_000],
    ['a turn in which the node gave up', inTurn('agent-1', 'gaveUp'), 0],
    ['a begun turn that was released', inTurn('agent-1', 'begun', { withdrawn: nonce }), 0],
  ])('lets a node rest for ten minutes after %s', (_, node, lasted) => {
    const memory = turnMemory();
    for (let now = 0; now < lasted; now += 50_000) {
      observe(memory, { nodes: [node], ledger }, now);
    }
    expect(observe(memory, { nodes: [node], ledger }, lasted).resting).toEqual(['agent-1']);
    const free = { nodes: [asks('agent-1')], ledger: { ...emptyLedger, changes: 2 } };
    expect(observe(memory, free, lasted + 599_999).resting).toEqual(['agent-1']);
    expect(observe(memory, free, lasted + 600_000).resting).toEqual([]);
  });
});

describe('observe, after a loss of the ledger,', () => {
  const restored = { ...emptyLedger, changes: 1 };

  test('recovers for a while if an older ledger was restored', () => {
    const memory = turnMemory();
    const at = (now: number, changes: number) =>
      observe(memory, { nodes: [fleetNode('agent-1')], ledger: { ...restored, changes } }, now).isRecovering;
    expect([at(0, 5), at(1, 4), at(recovery, 5), at(recovery + 1, 6)]).toEqual([false, true, true, false]);
  });

  test('recovers for a while without a ledger if nodes have had turns', () => {
    const memory = turnMemory();
    const at = (now: number) =>
      observe(memory, { nodes: [inTurn('agent-1')], ledger: emptyLedger }, now).isRecovering;
    expect([at(0), at(recovery - 1), at(recovery)]).toEqual([true, true, false]);
  });

  test('need not recover if no node has ever had a turn', () => {
    expect(observe(turnMemory(), { nodes: [asks('agent-1')], ledger: emptyLedger }, 0).isRecovering).toBe(
      false,
    );
  });
});
