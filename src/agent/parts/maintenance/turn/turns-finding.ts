import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import type { Decision } from './decide.ts';
import type { Fleet } from './fleet.ts';
import { turnsLeasePath } from './turns-lease.ts';
import { stoppedWishes, turnLines, turnsSentence } from './turns-text.ts';

/** How long a turn may take, besides the time for which its node is watched, before it is reported; milliseconds. */
const long = 3_600_000;

/** Returns the finding that reports the turns, with the milliseconds until the next look. */
export function turnsFinding(host: HostReader, fleet: Fleet, decision: Decision, after: number): Finding {
  const sentence = turnsSentence(turnLines(fleet, decision));
  return (
    failed(fleet, sentence, after) ??
    held(fleet, sentence, after) ??
    inSync({ message: sentence || 'no node asks for a turn', until: host.now() + after })
  );
}

function failed(fleet: Fleet, sentence: string, after: number): Finding | undefined {
  const [stopped] = stoppedWishes(fleet);
  if (stopped === undefined) {
    return undefined;
  }
  const { wish, node, message, hasTurn } = stopped;
  const lost = hasTurn ? ` If ${node} will not come back, first run slipway turn release ${node}.` : '';
  return waiting(
    'TurnFailed',
    `No further turns for "${wish}": ${node} failed (${message}). Repair ${node}, then run slipway turn continue "${wish}".${lost} ${sentence}`,
    { ...advisory, after },
  );
}

function held({ ledger, seen, settings }: Fleet, sentence: string, after: number): Finding | undefined {
  const most = long + settings.watchFor;
  const slot = ledger.slots.find(({ nonce }) => (seen.lasted[nonce] ?? 0) > most);
  return (
    slot &&
    waiting(
      'TurnHeld',
      `${slot.node} has been in its turn for more than an hour (${slot.wish}). See slipway status there; slipway turn release ${slot.node} frees the turn. ${sentence}`,
      { ...advisory, after },
    )
  );
}

/** Returns the finding for a damaged ledger, with the milliseconds until the next look. */
export function unreadableFinding(after: number): Finding {
  return waiting(
    'TurnsUnreadable',
    `The ledger of turns in ${turnsLeasePath} is damaged, so no turn is granted. Delete the Lease: ` +
      'k3s kubectl -n kube-system delete lease slipway-turns. Turns that nodes have begun are kept.',
    { ...advisory, after },
  );
}
