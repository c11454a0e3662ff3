import { type Drift, type Finding, step } from '../../../engine/resource.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import type { Wish } from '../../k3s/index.ts';
import { changeNode } from '../drain/change-node.ts';
import { readTurn, type TurnRequest, turnKeys } from '../turn/annotations.ts';
import type { OwnTurn } from './own-turn.ts';

/** Returns the request of this node for a wish. `closed` is true while the maintenance windows are closed. */
export function requestFor(node: K3sNode, wish: Wish, boot: string, closed: boolean): TurnRequest {
  return {
    wish: wish.name.slice(0, 200),
    kind: wish.kind,
    digest: wish.digest,
    boot,
    drain: drainsFor(node, wish),
    server: isServer(node),
    routes: node.settings.network.nat.from.length > 0,
    ...(closed && { closed }),
    ...(wish.isUrgent && { urgent: true }),
  };
}

/** True if the settings let the node evict its pods before it is interrupted for this wish. */
function drainsFor({ settings }: K3sNode, { kind, isUrgent }: Wish): boolean {
  const { drain } = settings.maintenance;
  if (isUrgent) {
    return false;
  }
  switch (kind) {
    case 'reboot':
      return drain.reboot;
    case 'upgrade':
      return drain.upgrade;
    default:
      return drain.restart;
  }
}

/**
 * Returns the step that writes the request on this node's Node, in place of any other; `undefined` if it is there. A
 * step that writes a request takes effect once a server grants it.
 */
export function askStep(node: K3sNode, { request }: OwnTurn, wanted: TurnRequest): Finding | undefined {
  const text = JSON.stringify(wanted);
  if (request !== undefined && text === JSON.stringify(request)) {
    return undefined;
  }
  const change = { field: turnKeys.request, observed: request?.wish, desired: wordsOf(wanted) };
  // Windows that open and close, and passwords that change, rewrite a request for as long as it waits.
  return step(
    change,
    (host) => changeNode(host, node, () => ({ metadata: { annotations: { [turnKeys.request]: text } } })),
    { due: true, summary: `ask for the turn of this node (${wordsOf(wanted)})` },
  );
}

function wordsOf({ wish, closed }: TurnRequest): string {
  return closed ? `${wish}, outside its windows` : wish;
}

/** Returns the step that removes a request which nothing on this node needs any more. */
export function withdrawStep(node: K3sNode, { wish, digest }: TurnRequest): Finding {
  const change = { field: turnKeys.request, observed: wish, desired: undefined };
  const remedy: Drift['remedy'] = (host) =>
    changeNode(host, node, ({ metadata }) =>
      readTurn(metadata?.annotations ?? {}).request?.digest === digest
        ? { metadata: { annotations: { [turnKeys.request]: null } } }
        : undefined,
    );
  return step(change, remedy, { summary: `withdraw the request for a turn (${wish})` });
}
