import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import type { Finding } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import type { Wish } from '../../k3s/index.ts';
import { isBegun } from '../turn/annotations.ts';
import { endStep } from './in-turn.ts';
import { ownTurnOrError } from './own-turn.ts';

/** What a wish that asks for no turn does to the turn of the node. */
export interface WithoutAsking {
  /** True if the turn must not be ended in this pass as if nothing needed it. */
  readonly isKept: boolean;
  /** The step that gives up the turn. */
  readonly step?: Finding;
}

/**
 * Judges a wish whose change is made, or cannot be made now. A wish whose change is made keeps a turn that has begun,
 * even while the Node cannot be read; one whose change cannot be made gives up a turn that has begun for it.
 */
export async function withoutAsking(host: HostReader, node: K3sNode, wish: Wish): Promise<WithoutAsking> {
  const turn = await ownTurnOrError(host, node);
  if (turn === undefined || turn instanceof NodeError) {
    return { isKept: true };
  }
  if (!isBegun(turn) || turn.state === undefined) {
    return { isKept: false };
  }
  const { givenUp } = wish;
  return givenUp !== undefined && turn.state.digest === wish.digest
    ? { isKept: true, step: endStep(node, turn.state, 'gaveUp', givenUp, 'TurnGivenUp') }
    : { isKept: givenUp === undefined };
}
