import * as z from 'zod/mini';
import { actingLease } from '../../../acting.ts';
import type { Host } from '../../../engine/host.ts';
import { deleteObject, patchObject } from '../../../kubernetes/api.ts';
import { readKubeconfig } from '../../../kubernetes/kubeconfig.ts';
import { leasePath } from '../../../kubernetes/lease.ts';
import { readList } from '../../../kubernetes/lists.ts';
import { listPath, objectPath } from '../../../kubernetes/object-path.ts';
import type { NodePaths } from '../../../paths.ts';
import { apiNode } from '../../k3s/index.ts';
import { uncordoned } from '../drain/cordon.ts';
import { turnKeys } from './annotations.ts';
import { turnsLeasePath } from './turns-lease.ts';

const nodes = { apiVersion: 'v1', resource: 'nodes' } as const;
const named = z.object({ metadata: z.object({ name: z.string() }) });

/**
 * Removes from a cluster what Slipway wrote there about a past that is over after a restore: the Leases of the turns
 * and of the acting server, with all their annotations; the requests, grants and states of turns; and Slipway's own
 * cordons. Keeps the cordon of a person or of another program.
 *
 * Returns the names of the changed Nodes. Throws the errors of `readApi` and `patchObject`; a second call then does
 * the rest.
 */
export async function forgetTurns(host: Host, { k3s }: NodePaths): Promise<readonly string[]> {
  const access = await readKubeconfig(host, k3s.kubeconfig);
  await deleteObject(host, access, turnsLeasePath);
  await deleteObject(host, access, leasePath(actingLease));
  const found = await readList(host, access, listPath(nodes), z.unknown());
  const changed: string[] = [];
  for (const each of found) {
    const { name } = z.parse(named, each).metadata;
    const patch = forgetting(z.parse(apiNode, each));
    if (patch !== undefined) {
      await patchObject(host, access, objectPath({ ...nodes, name }), patch);
      changed.push(name);
    }
  }
  return changed;
}

/** Returns the patch that removes turns and Slipway's cordon from a Node; `undefined` if it has neither. */
function forgetting(node: z.output<typeof apiNode>): object | undefined {
  const { annotations = {}, resourceVersion } = node.metadata ?? {};
  const keys = Object.values(turnKeys).filter((key) => annotations?.[key] !== undefined);
  const cordon = uncordoned(node);
  if (keys.length === 0 && cordon === undefined) {
    return undefined;
  }
  const gone = Object.fromEntries(keys.map((key) => [key, null]));
  return {
    ...cordon,
    metadata: { resourceVersion, annotations: { ...gone, ...cordon?.metadata.annotations } },
  };
}
