/** The rules about turns that were granted: when they are withdrawn, when they have failed, and when they are free. */

import type { Action } from './actions.ts';
import { type Fleet, failedNodes, otherServerAway } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import type { Slot } from './ledger.ts';
import { type Phase, phaseOf } from './observations.ts';

/** A slot with what is known of its node. */
interface Turn {
  readonly slot: Slot;
  readonly node: FleetNode | undefined;
  readonly phase: Phase;
  /** How long the holder has seen the node like this; milliseconds. */
  readonly lasted: number;
}

/** How long a node can be without service in its turn before the turn has failed; milliseconds. */
const lost = 600_000;
/** How long a Node that was created again serves before others follow; milliseconds. */
const calm = 60_000;

/** Returns what follows for each slot: at most one action per slot. */
export function slotActions(fleet: Fleet): readonly Action[] {
  return fleet.ledger.slots.flatMap((slot) => {
    const node = fleet.nodes.find(({ name }) => name === slot.node);
    const turn = { slot, node, phase: phaseOf(slot, node), lasted: fleet.seen.lasted[slot.nonce] ?? 0 };
    return withdrawal(turn, fleet) ?? failure(turn, fleet) ?? freed(turn, fleet) ?? missingCopy(turn) ?? [];
  });
}

function withdrawal({ slot, node, phase, lasted }: Turn, fleet: Fleet): Action | undefined {
  if (phase !== 'offered' || node === undefined) {
    return undefined;
  }
  const why =
    notToBegin(slot, node, fleet) ?? (lasted >= slot.seconds * 1_000 ? 'it did not begin' : undefined);
  return why === undefined ? undefined : { kind: 'withdraw', node, nonce: slot.nonce, why };
}

/** Returns why a node that has not begun should not begin any more. */
function notToBegin(slot: Slot, node: FleetNode, fleet: Fleet): string | undefined {
  const { request, isHeld } = node;
  if (request?.digest !== slot.digest || request.boot !== slot.boot) {
    return 'the node does not ask for it any more';
  }
  if (request.closed && !slot.now) {
    return 'its maintenance window has closed';
  }
  if (isHeld) {
    return 'the node is held';
  }
  if (fleet.settings.pause) {
    return 'maintenance.pause is set';
  }
  if (request.urgent) {
    return undefined;
  }
  const [failed] = failedNodes(fleet, slot.wish);
  return failed ? `${failed} failed` : serverLost(slot, node, fleet);
}

/** Returns which server stopped serving after this one got its turn; `undefined` for a turn that a person ordered. */
function serverLost(slot: Slot, node: FleetNode, fleet: Fleet): string | undefined {
  const other = node.isServer && !slot.now ? otherServerAway(node, fleet) : undefined;
  return other && `${other.name} does not serve`;
}

/** A turn fails if the node undoes the change, or does not serve for ten minutes; it then keeps its slot. */
function failure({ slot, node, phase, lasted }: Turn, { ledger }: Fleet): Action | undefined {
  if (ledger.failures.some(({ nonce }) => nonce === slot.nonce)) {
    return undefined;
  }
  if (node?.state?.state === 'rolledBack' && (phase === 'ended' || isToldAgain(slot, node))) {
    return { kind: 'fail', slot, why: node.state.message || 'it went back to what it ran before' };
  }
  const mayHaveBegun = phase === 'begun' || phase === 'ended' || phase === 'gone';
  return mayHaveBegun && node?.serves !== true && lasted >= lost
    ? { kind: 'fail', slot, why: 'it has not served for ten minutes in its turn' }
    : undefined;
}

/** True if a Node that was created again says how the turn of the deleted one ended (`undoneStep`). */
function isToldAgain({ uid, digest }: Slot, { uid: now, state }: FleetNode): boolean {
  return now !== uid && state?.digest === digest;
}

/**
 * A slot is free if the node can no longer begin, if it has ended its turn and serves, or if the turn of a deleted Node
 * is over (`isOver`); never by time alone.
 */
function freed(turn: Turn, { ledger, settings }: Fleet): Action | undefined {
  const { slot, node, phase, lasted } = turn;
  const free = (proves = false): Action => ({ kind: 'free', slot, proves });
  if (phase === 'withdrawn') {
    return free();
  }
  if (phase === 'ended' && node?.serves) {
    const isDone = node.state?.state === 'done';
    const isFirst = isDone && !slot.server && !ledger.proven.includes(slot.wish);
    return isFirst && lasted < settings.watchFor ? undefined : free(isDone && !slot.server);
  }
  return phase === 'gone' && isOver(turn, ledger.failures) ? free() : undefined;
}

/** True if a Node that was deleted in its turn is back and calm, or if it was an agent's and has counted as failed. */
function isOver({ slot, node, lasted }: Turn, failures: Fleet['ledger']['failures']): boolean {
  if (node !== undefined) {
    return node.serves && lasted >= calm;
  }
  return !slot.server && failures.some(({ nonce }) => nonce === slot.nonce);
}

/** The grant is written to the Node again if its writer was stopped in between, or if the annotation was removed. */
function missingCopy({ slot, node, phase }: Turn): Action | undefined {
  return phase === 'offered' && node && node.grant?.nonce !== slot.nonce
    ? { kind: 'copy', slot, node }
    : undefined;
}
