import { isDeepStrictEqual } from 'node:util';
import type { Action } from './actions.ts';
import type { StoppedRequest } from './annotations.ts';
import { askingNodes, type Fleet } from './fleet.ts';
import { stoppedBecause } from './obstacles.ts';

/** The most wishes that a Node shows as stopped. */
const most = 5;

/**
 * Returns the actions that show each node which of its wishes get no turn after a failure, so that its other wishes
 * need not wait for them. A wish stays shown until turns for it go on, even while the node asks for another one:
 * otherwise the node would ask for both by turns.
 */
export function tellStopped(fleet: Fleet): readonly Action[] {
  const asking = askingNodes(fleet);
  return fleet.nodes.flatMap((node): readonly Action[] => {
    const { stopped: shown = [] } = node;
    const request = asking.find((each) => each.node === node && !each.request.urgent)?.request;
    const isShown = shown.some(({ digest }) => digest === request?.digest);
    const candidates = [...shown, ...(request && !isShown ? [request] : [])];
    const stopped = candidates.flatMap(({ wish, digest }): readonly StoppedRequest[] => {
      const why = stoppedBecause(node, { wish, digest }, fleet);
      return why === undefined ? [] : [{ wish, digest, why }];
    });
    const wanted = stopped.slice(-most);
    return isDeepStrictEqual(wanted, shown) ? [] : [{ kind: 'tell', node, stopped: wanted }];
  });
}
