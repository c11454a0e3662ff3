import { inSync, type Resource, step } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { readOwnNode } from '../../k3s/index.ts';
import { changeNode } from '../drain/change-node.ts';
import { holdKey } from '../turn/annotations.ts';
import { unanswered } from '../unanswered.ts';
import { holdOf } from './hold.ts';

/** Shows a hold on this node's Node, so that servers grant this node no turn. */
export function holdShown(node: K3sNode, needs: readonly string[]): Resource {
  return neverBlocking({
    id: 'Hold/annotation',
    summary: 'show the hold of this node in the cluster',
    condition: 'Maintenance',
    isQuiet: true,
    needs,
    async check(host) {
      const found = await readOwnNode(host, node).catch(unanswered);
      const shown = found?.metadata?.annotations?.[holdKey];
      const wanted = (await holdOf(host, node))?.reason;
      if (found === undefined || shown === wanted) {
        return inSync();
      }
      const annotations = { [holdKey]: wanted ?? null };
      return step({ field: holdKey, observed: shown, desired: wanted }, (changing) =>
        changeNode(changing, node, () => ({ metadata: { annotations } })),
      );
    },
  });
}
