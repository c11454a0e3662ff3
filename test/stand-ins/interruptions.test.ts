import { describe, expect, test } from 'vitest';
import { interruptionsIn, orderFault } from '../lab/interruptions.ts';

const nodes = ['server', 'agent', 'observability'];

function at(second: number, MESSAGE: string, UNIT = 'k3s-agent.service') {
  return { UNIT, MESSAGE, __REALTIME_TIMESTAMP: String(second * 1_000_000) };
}

function away(node: string, from: number, to: number) {
  return { node, from, to };
}

describe('interruptionsIn', () => {
  test('finds when K3s was stopped and started again', () => {
    const journal = [
      at(1, 'Stopping Lightweight Kubernetes...'),
      at(2, 'Started Lightweight Kubernetes.'),
      at(5, 'Stopping Lightweight Kubernetes...'),
      at(6, 'Stopping Another...', 'another.service'),
      at(7, 'Stopped Lightweight Kubernetes.'),
      at(8, 'Started Lightweight Kubernetes.'),
      at(9, 'Stopping Lightweight Kubernetes...'),
    ];
    expect(interruptionsIn(journal, 'agent', 3_000)).toEqual([
      away('agent', 5_000, 8_000),
      away('agent', 9_000, Number.POSITIVE_INFINITY),
    ]);
  });
});

describe('orderFault', () => {
  test.each([
    [
      'accepts the server first, and then one agent after the other',
      [away('observability', 7, 9), away('server', 1, 3), away('agent', 3, 6)],
      undefined,
    ],
    [
      'refuses an agent before the server',
      [away('agent', 1, 2), away('server', 3, 4), away('observability', 5, 6)],
      'K3s on agent was restarted before the server.',
    ],
    [
      'refuses two nodes at once',
      [away('server', 1, 3), away('agent', 4, 6), away('observability', 5, 7)],
      'K3s on observability was stopped before K3s on another node had started again.',
    ],
    [
      'refuses a node that does not start again before the next one is stopped',
      [away('server', 1, Number.POSITIVE_INFINITY), away('agent', 4, 6), away('observability', 7, 8)],
      'K3s on agent was stopped before K3s on another node had started again.',
    ],
    [
      'refuses a node that was not restarted',
      [away('server', 1, 3), away('agent', 4, 6)],
      'K3s on observability was restarted 0 times in one upgrade, not once.',
    ],
    [
      'refuses a node that was restarted twice',
      [away('server', 1, 3), away('agent', 4, 6), away('agent', 7, 8), away('observability', 9, 10)],
      'K3s on agent was restarted 2 times in one upgrade, not once.',
    ],
  ])('%s', (_, interruptions, fault) => {
    expect(orderFault(nodes, interruptions)).toBe(fault);
  });
});
