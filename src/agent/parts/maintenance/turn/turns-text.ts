import type { Decision } from './decide.ts';
import { type Fleet, failedNodes } from './fleet.ts';
import { phaseOf } from './observations.ts';

/** Where a node stands in the turns of the fleet. */
export interface TurnLine {
  readonly node: string;
  readonly wish: string;
  readonly state: 'mayBegin' | 'inTurn' | 'ended' | 'waits' | 'failed';
  /** The rest of a sentence that begins with the name of the node. */
  readonly message: string;
}

/** Returns a line for each node that has a turn, waits for one, or has failed in one. */
export function turnLines({ nodes, ledger }: Fleet, { waits }: Decision): readonly TurnLine[] {
  const turns = ledger.slots.map((slot): TurnLine => {
    const { node, wish } = slot;
    const found = nodes.find(({ name }) => name === node);
    return { node, wish, ...toldPhase(phaseOf(slot, found), found?.serves === true) };
  });
  const failures = ledger.failures.map(
    ({ node, wish, why }): TurnLine => ({ node, wish, state: 'failed', message: `failed: ${why}` }),
  );
  return [
    ...turns,
    ...failures,
    ...waits.map(({ node, wish, why }): TurnLine => ({ node, wish, state: 'waits', message: why })),
  ];
}

function toldPhase(phase: ReturnType<typeof phaseOf>, serves: boolean): Pick<TurnLine, 'state' | 'message'> {
  switch (phase) {
    case 'offered':
      return { state: 'mayBegin', message: 'may begin' };
    case 'withdrawn':
      return { state: 'ended', message: 'may not begin any more' };
    case 'begun':
      return { state: 'inTurn', message: serves ? 'is in its turn' : 'is in its turn and does not serve' };
    case 'ended':
      return {
        state: 'ended',
        message: serves ? 'has ended its turn' : 'has ended its turn and does not serve',
      };
    case 'gone':
      return { state: 'inTurn', message: 'was deleted in its turn' };
  }
}

const most = 10;

/** Returns the lines as one sentence of limited length. */
export function turnsSentence(lines: readonly TurnLine[]): string {
  const shown = lines
    .slice(0, most)
    .map(({ node, message, state, wish }) =>
      state === 'waits' || state === 'failed' ? `${node} ${message}` : `${node} ${message} (${wish})`,
    );
  const more = lines.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** A wish for which no turn is granted any more, and the failure of a node with it. */
export interface StoppedWish {
  readonly wish: string;
  readonly node: string;
  readonly message: string;
  /** True while the node still has its turn, which only its return or a person ends. */
  readonly hasTurn: boolean;
}

/** Returns the wishes for which no turn is granted any more, each with the failure of its first node. */
export function stoppedWishes(fleet: Fleet): readonly StoppedWish[] {
  const wishes = [...new Set(fleet.ledger.failures.map(({ wish }) => wish))];
  return wishes
    .filter((wish) => failedNodes(fleet, wish).length > 0)
    .flatMap((wish) => fleet.ledger.failures.filter((failure) => failure.wish === wish).slice(0, 1))
    .map(({ wish, node, why }) => ({
      ...{ wish, node, message: why },
      hasTurn: fleet.ledger.slots.some((slot) => slot.node === node),
    }));
}
