import { expect, test } from 'vitest';
import type { TurnState } from '../../src/agent/parts/maintenance/index.ts';
import type { Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import { live } from './live.ts';
import { withTurns } from './plans.ts';
import { brokenByBegin, TurnLog } from './turn-log.ts';

/** Returns the first two agents of a fleet. */
async function twoAgents(): Promise<readonly FleetNode[]> {
  let made: readonly FleetNode[] = [];
  const prepare = (fleet: Fleet) => {
    made = fleet.api.nodes.filter(({ role }) => role === 'agent');
    fleet.brokenPromise = 'over';
  };
  await live({ seed: 1, servers: 1, agents: 2, makePlan: withTurns, faults: [], prepare });
  return made;
}

function begun(wish: string, nonce: string): TurnState {
  return { nonce, wish, digest: 'aaaaaaaaaaaa', state: 'begun', message: '' };
}

test.each([
  ['is still in it', 'n1', 'agent-2 begins reboot before agent-1 has served for a minute after it'],
  ['has left it without a word and is in another turn', 'n2', undefined],
  ['has left it without a word', undefined, undefined],
])(
  'the promise about the first agent of a wish is judged by its turn if this agent %s',
  async (_, turn, broken) => {
    const log = new TurnLog();
    const [first, second] = await twoAgents();
    if (first === undefined || second === undefined) {
      throw new Error('the fleet has too few agents');
    }
    log.note(first, { state: begun('reboot', 'n1'), isUrgent: false }, 0);
    first.turn = turn;
    const next = log.note(second, { state: begun('reboot', 'n3'), isUrgent: false }, 10_000);
    expect(next && brokenByBegin(log, next)).toBe(broken);
  },
);
