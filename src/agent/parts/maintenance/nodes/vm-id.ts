import { printableLine } from '../../../engine/printable.ts';
import { inSync, type Resource, step } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { readOwnNode } from '../../k3s/index.ts';
import { changeNode } from '../drain/change-node.ts';
import { vmIdKey } from '../turn/annotations.ts';
import { unanswered } from '../unanswered.ts';

/** The longest id that is shown, in characters; those of clouds have fewer than 128. */
const longest = 200;

/**
 * Shows the cloud's id of this VM on this node's Node, so that people can tell a VM from an earlier one with the same
 * name.
 */
export function vmIdShown(node: K3sNode, needs: readonly string[]): Resource {
  return neverBlocking({
    id: 'Node/vm-id',
    summary: 'show the id of this VM in the cluster',
    condition: 'Maintenance',
    isQuiet: true,
    needs,
    async check(host) {
      const wanted = node.vmId && printableLine(node.vmId).slice(0, longest);
      const found = wanted && (await readOwnNode(host, node).catch(unanswered));
      if (!found) {
        return inSync();
      }
      const shown = found.metadata?.annotations?.[vmIdKey];
      const annotations = { [vmIdKey]: wanted };
      return shown === wanted
        ? inSync()
        : step({ field: vmIdKey, observed: shown, desired: wanted }, (changing) =>
            changeNode(changing, node, () => ({ metadata: { annotations } })),
          );
    },
  });
}
