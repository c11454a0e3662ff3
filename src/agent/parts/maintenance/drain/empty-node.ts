import type { Host } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { cordonStep } from './cordon.ts';
import { drainStep, type GaveUp } from './drain.ts';

/**
 * Cordons this node and evicts its pods, as in a turn, but waits until that has ended. Calls `onStep` with each step in
 * words. Resolves to the end of a drain that the settings give up, and otherwise to `undefined`, even if the cluster
 * does not have the Node, and soon after `interrupted` is aborted. Throws the errors of `readApi`.
 */
export async function emptyNode(
  host: Host,
  node: K3sNode,
  why: string,
  onStep: (step: string) => void,
  interrupted?: AbortSignal,
): Promise<GaveUp | undefined> {
  const options = { turn: `${why} ${host.now()}`, nowhere: false };
  while (!interrupted?.aborted) {
    const next = (await cordonStep(host, node, why)) ?? (await drainStep(host, node, options));
    switch (next?.state) {
      case 'Drifted':
        await next.drift.remedy(host);
        onStep(next.drift.summary ?? next.drift.changes.map(({ field }) => field).join(', '));
        break;
      case 'Waiting':
        if (next.reason === 'NodeNotFound') {
          return undefined;
        }
        await host.sleep(next.after ?? 5_000, interrupted);
        break;
      case 'GaveUp':
        return next;
      default:
        return undefined;
    }
  }
  return undefined;
}
