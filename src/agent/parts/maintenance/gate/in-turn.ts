import type { HostReader } from '../../../engine/host.ts';
import { type Drift, type Finding, step } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import type { Wish } from '../../k3s/index.ts';
import { changeNode, type NodePatch } from '../drain/change-node.ts';
import { cordonStep, uncordoned } from '../drain/cordon.ts';
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
 * Returns the step that ends the turn with a state, if the node is still in it. If the turn was given up, the same
 * request removes the cordon of Slipway, because another node may begin its turn then; otherwise it removes the request
 * for the turn. `reason` is that of the condition while the node waits for another turn.
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
    changeNode(host, node, (found): NodePatch | undefined => {
      const { request, state } = readTurn(found.metadata?.annotations ?? {});
      if (state?.nonce !== nonce || state.state !== 'begun') {
        return undefined;
      }
      const given = { [turnKeys.state]: JSON.stringify(ended) };
      if (end === 'gaveUp') {
        const { metadata, ...cordon } = uncordoned(found) ?? {};
        return { metadata: { annotations: { ...metadata?.annotations, ...given } }, ...cordon };
      }
      const isAsked = request?.digest === digest;
      return { metadata: { annotations: isAsked ? { ...given, [turnKeys.request]: null } : given } };
    });
  const words = {
    done: 'end the turn of this node',
    rolledBack: 'report that this node went back',
    gaveUp: 'give up the turn of this node',
  };
  return step(change, remedy, { summary: `${words[end]} (${wish})` });
}

/** A change that a node has undone, and why. */
export interface Undone {
  readonly wish: string;
  readonly digest: string;
  readonly why: string;
}

/**
 * Returns the step that reports a change which the node has undone on a Node that says nothing about turns: the Node
 * was deleted in the turn and created again, and the servers would otherwise let the next node make the same change.
 */
export function undoneStep(node: K3sNode, { wish, digest, why }: Undone): Finding {
  // The nonce of the turn was on the deleted Node; the digest is a value that no grant has.
  const told = {
    nonce: digest,
    digest,
    wish,
    state: 'rolledBack',
    message: why.slice(0, 1_000),
  } satisfies TurnState;
  const change = { field: turnKeys.state, observed: undefined, desired: `rolledBack: ${wish}` };
  const remedy: Drift['remedy'] = (host) =>
    changeNode(host, node, ({ metadata }): NodePatch | undefined =>
      readTurn(metadata?.annotations ?? {}).state
        ? undefined
        : { metadata: { annotations: { [turnKeys.state]: JSON.stringify(told) } } },
    );
  return step(change, remedy, { summary: `report that this node went back (${wish})` });
}
