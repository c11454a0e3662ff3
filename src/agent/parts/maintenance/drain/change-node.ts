import { NodeError } from '../../../engine/errors.ts';
import type { Host } from '../../../engine/host.ts';
import { patchObject } from '../../../kubernetes/api.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { type ApiNode, nodePath, readOwnNode } from '../../k3s/index.ts';

/** A merge patch of a Node. `null` removes a field. */
export interface NodePatch {
  readonly metadata: { readonly annotations: Readonly<Record<string, string | null>> };
  readonly spec?: { readonly unschedulable: true | null };
}

const attempts = 5;

/**
 * Reads this node's own Node and patches it with the result of `decide`, unless that is `undefined`. Decides anew if
 * the Node has changed in between, so that a change by a person is never overwritten. Writes with the rights with which
 * it reads, so that a server takes its turn even if kubelet's credential is broken. Throws the errors of `patchObject`.
 */
export async function changeNode(
  host: Host,
  node: K3sNode,
  decide: (found: ApiNode) => NodePatch | undefined,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await readOwnNode(host, node);
    const patch = found && decide(found);
    if (!patch) {
      return;
    }
    const metadata = { ...patch.metadata, resourceVersion: found.metadata?.resourceVersion };
    try {
      return await patchObject(host, await nodeAccess(host, node), nodePath(node), { ...patch, metadata });
    } catch (thrown) {
      if (attempt === attempts || !(thrown instanceof NodeError) || thrown.reason !== 'ApiConflict') {
        throw thrown;
      }
    }
  }
}
