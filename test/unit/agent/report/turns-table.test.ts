import { expect, test } from 'vitest';
import { turnsTable } from '../../../../src/agent/report/turns-table.ts';

test('the table of turns shows each node, the wishes that have stopped, and which server grants', () => {
  const wish = 'upgrade v1.36.4+k3s1';
  const report = {
    holder: 'server-1',
    turns: [
      { node: 'agent-10', wish, state: 'inTurn', message: 'is in its turn' },
      { node: 'agent-2', wish: 'reboot\nnow', state: 'waits', message: 'waits for agent-10' },
    ],
    stopped: [
      { wish, node: 'agent-3', message: 'it went back', hasTurn: false },
      { wish: 'restart config', node: 'agent-4', message: 'it has not served', hasTurn: true },
    ],
  } as const;
  expect(turnsTable(report).split('\n')).toEqual([
    'NODE      WISH                  STATE',
    'agent-10  upgrade v1.36.4+k3s1  is in its turn',
    'agent-2   reboot\\nnow           waits for agent-10',
    '',
    'No further turns for "upgrade v1.36.4+k3s1", until: slipway turn continue "upgrade v1.36.4+k3s1" (first repair agent-3)',
    'No further turns for "restart config", until: slipway turn continue "restart config" (first repair agent-4; if it will not come back: slipway turn release agent-4)',
    'server-1 grants the turns.',
    '',
  ]);
});

test('an empty table says that no node waits', () => {
  expect(turnsTable({ turns: [], stopped: [] })).toBe('No node has a turn or waits for one.\n');
});
