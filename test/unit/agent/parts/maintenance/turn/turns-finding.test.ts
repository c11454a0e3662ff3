import { expect, test } from 'vitest';
import { decide } from '../../../../../../src/agent/parts/maintenance/turn/decide.ts';
import { turnsFinding } from '../../../../../../src/agent/parts/maintenance/turn/turns-finding.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aFleet, aSlot, inTurn, nonceOf } from './a-fleet.ts';

const [minute, hour] = [60_000, 3_600_000];

test.each([
  ['an hour and the minute for which it is watched', minute, hour + minute],
  ['an hour and the time in maintenance.watchFor', 5 * hour, 6 * hour],
])('turnsFinding reports a turn as held once it has taken more than %s', (_, watchFor, most) => {
  const reported = (lasted: number) => {
    const seen = { lasted: { [nonceOf('agent-1')]: lasted } };
    const fleet = aFleet([inTurn('agent-1')], { slots: [aSlot('agent-1')], settings: { watchFor }, seen });
    return turnsFinding(memoryHost(), fleet, decide(fleet), 5_000);
  };
  expect(reported(most)).toMatchObject({ state: 'InSync' });
  expect(reported(most + 1)).toMatchObject({ state: 'Waiting', reason: 'TurnHeld' });
});
