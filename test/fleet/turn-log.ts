import type { TurnState } from '../../src/agent/parts/maintenance/index.ts';
import type { FleetNode } from './fleet-node.ts';

/** A turn that a node has begun, and how it ended. The times are those of the simulation. */
export interface LoggedTurn {
  readonly node: FleetNode;
  readonly nonce: string;
  readonly wish: string;
  readonly digest: string;
  /** True if the health of others does not delay the turn. */
  readonly isUrgent: boolean;
  readonly begun: number;
  end?: { readonly state: 'done' | 'rolledBack' | 'gaveUp'; readonly at: number };
}

/** The turns of a fleet in the order in which they began, as the nodes reported them to the API. */
export class TurnLog {
  readonly turns: LoggedTurn[] = [];

  /** Notes what a node has just written about its turn. Returns the turn if it begins now. */
  note(
    node: FleetNode,
    { state, isUrgent }: { readonly state: TurnState | undefined; readonly isUrgent: boolean },
    now: number,
  ): LoggedTurn | undefined {
    const known = this.turns.findLast((turn) => turn.node === node && turn.end === undefined);
    if (state === undefined) {
      return undefined;
    }
    if (state.state !== 'begun') {
      const turn = known?.nonce === state.nonce ? known : undefined;
      if (turn) {
        turn.end = { state: state.state, at: now };
      }
      return undefined;
    }
    if (known?.nonce === state.nonce) {
      return undefined;
    }
    const { nonce, wish, digest } = state;
    const turn: LoggedTurn = { node, nonce, wish, digest, isUrgent, begun: now };
    this.turns.push(turn);
    return turn;
  }
}

const calm = 60_000;

/** Returns the promise that a turn breaks by beginning now; `undefined` if it may begin. */
export function brokenByBegin({ turns }: TurnLog, turn: LoggedTurn): string | undefined {
  const others = turns.filter((other) => other !== turn && other.wish === turn.wish);
  return repeated(others, turn) ?? tooEarly(others, turn) ?? renewedTwice(others, turn);
}

/** Finds a change that a node has undone and now makes again, although its wish is the same. */
function repeated(others: readonly LoggedTurn[], { node, digest, wish }: LoggedTurn): string | undefined {
  const before = others.find(
    (other) => other.node === node && other.digest === digest && other.end?.state === 'rolledBack',
  );
  return before && `${node.name} repeats ${wish}, which it has undone`;
}

/**
 * Finds an agent that does not wait until the first agent of its wish has served for a minute. A turn without an end is
 * over once its agent serves again (`isBack`), since its Node was deleted with all that it said. A turn for another
 * wish, which this agent may have begun by then, does not prolong it.
 */
function tooEarly(others: readonly LoggedTurn[], turn: LoggedTurn): string | undefined {
  const { node, wish, begun, isUrgent } = turn;
  const agents = others.filter((other) => other.node.role === 'agent');
  const isProven = agents.some(({ end }) => end?.state === 'done' && begun - end.at >= calm);
  if (node.role === 'server' || isProven || isUrgent) {
    return undefined;
  }
  const first = agents.find(
    ({ node: other, nonce, end }) =>
      (end === undefined && other.turn === nonce && other !== node) ||
      (end?.state === 'done' && begun - end.at < calm),
  );
  return first && `${node.name} begins ${wish} before ${first.node.name} has served for a minute after it`;
}

/** Finds a restart for a certificate that the last restart for it has not renewed. */
function renewedTwice(others: readonly LoggedTurn[], { node, digest, wish }: LoggedTurn): string | undefined {
  const isAgain = others.some(
    (other) => other.node === node && other.digest === digest && other.end?.state === 'done',
  );
  return wish === 'renew certificates' && isAgain
    ? `${node.name} restarts K3s again for a certificate that a restart does not renew`
    : undefined;
}
