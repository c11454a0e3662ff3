import type { HostReader } from '../../../engine/host.ts';
import { type Drift, type Finding, step } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import type { Wish } from '../../k3s/index.ts';
import { changeNode } from '../drain/change-node.ts';
import { cordonStep } from '../drain/cordon.ts';
import { drainStep } from '../drain/drain.ts';
import { readTurn, type TurnState, turnKeys } from '../turn/annotations.ts';
import type { OwnTurn } from './own-turn.ts';

/**
 * Returns the next step before the interruption in a turn that has begun: the cordon, an eviction, or the end of a turn
 * whose drain is given up; `undefined` once the node may be interrupted. `wish` is the one that is to be fulfilled.
 */
export async function stepInTurn(
  host: HostReader,
  node: K3sNode,
  { request, grant, state }: OwnTurn,
  wish: Wish,
): Promise<Finding | undefined> {
  if (!request?.drain || grant?.nowhere !== false || wish.isUrgent || state === undefined) {
    return undefined;
  }
  const cordoned = await cordonStep(host, node, state.wish);
  if (cordoned) {
    return cordoned;
  }
  const drained = await drainStep(host, node, { turn: state.nonce, nowhere: false });
  return drained?.state === 'GaveUp' ? endStep(node, state, 'gaveUp', drained.message) : drained;
}

/**
 * Returns the step that ends the turn with a state, if the node is still in it. Unless the turn was given up, its
 * request is removed too. `reason` is that of the condition while the node waits for another turn.
 */
export function endStep(
  node: K3sNode,
  { nonce, digest, wish }: TurnState,
  end: Exclude<TurnState['state'], 'begun'>,
  message: string,
  reason?: TurnState['reason'],
): Finding {
  const ended: TurnState = {
    ...{ nonce, digest, wish, state: end, message: message.slice(0, 1_000) },
    ...(reason && { reason }),
  };
  const change = { field: turnKeys.state, observed: `begun: ${wish}`, desired: `${end}: ${wish}` };
  const remedy: Drift['remedy'] = (host) =>
    changeNode(host, node, ({ metadata }) => {
      const { request, state } = readTurn(metadata?.annotations ?? {});
      if (state?.nonce !== nonce || state.state !== 'begun') {
        return undefined;
      }
      const isDone = end !== 'gaveUp' && request?.digest === digest;
      const annotations = { [turnKeys.state]: JSON.stringify(ended) };
      return {
        metadata: { annotations: isDone ? { ...annotations, [turnKeys.request]: null } : annotations },
      };
    });
  const words = {
    done: 'end the turn of this node',
    rolledBack: 'report that this node went back',
    gaveUp: 'give up the turn of this node',
  };
  return step(change, remedy, { summary: `${words[end]} (${wish})` });
}
