import { type Wish, wishKinds } from '../../k3s/index.ts';
import type { TurnRequest } from '../turn/annotations.ts';
import type { OwnTurn } from './own-turn.ts';

export interface AskingOrder {
  /** True while the wish waits for a maintenance window. */
  readonly isClosed: boolean;
  /** The wishes for which the gate was asked earlier in this pass. */
  readonly earlier: readonly Wish[];
}

/**
 * Returns the wish that this node asks for, if `wish` has to wait for it: an urgent one goes first, and one that can
 * have its turn now goes before one that waits for a window, whose last turn was given up, or for which no turn is
 * granted after a failure. Among equals, the order of
 * `wishKinds` decides.
 */
export function wishBefore(
  { request, state, stopped }: OwnTurn,
  wish: Wish,
  { isClosed, earlier }: AskingOrder,
): string | undefined {
  if (request === undefined || request.digest === wish.digest) {
    return undefined;
  }
  const { digest, isUrgent: urgent } = wish;
  const ahead =
    delay({ digest, urgent, closed: isClosed }, { state, stopped }) - delay(request, { state, stopped });
  if (ahead !== 0) {
    // The wish of this request may ask later in this pass. If it does not, `turnEnded` withdraws the request.
    return ahead > 0 ? request.wish : undefined;
  }
  const isMet = earlier.some((each) => each.digest === request.digest);
  // A request that nothing needs any more is replaced.
  return isMet && rank(request) <= rank(wish) ? request.wish : undefined;
}

/** Returns a number that is lower for what has to wait less. */
function delay(
  { digest, urgent, closed }: Pick<TurnRequest, 'digest' | 'urgent' | 'closed'>,
  { state, stopped = [] }: Pick<OwnTurn, 'state' | 'stopped'>,
): number {
  if (urgent) {
    return 0;
  }
  const isGivenUp = state?.state === 'gaveUp' && state.digest === digest;
  const isStopped = stopped.some((each) => each.digest === digest);
  return closed || isGivenUp || isStopped ? 2 : 1;
}

function rank({ kind }: Pick<Wish, 'kind'>): number {
  return wishKinds.indexOf(kind);
}
