import type { Host } from '../../../engine/host.ts';
import { deleteObject } from '../../../kubernetes/api.ts';
import { readKubeconfig } from '../../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../../kubernetes/object-path.ts';
import type { NodePaths } from '../../../paths.ts';
import { mergedFlags } from '../flags/flags.ts';
import { presentFlags } from '../flags/start-flags.ts';

/**
 * Removes the password with which K3s recognised the former VM of this server from the restored cluster, so that the
 * server can join its own cluster from a new VM (k3s, pkg/nodepassword). Returns the name of the node; `undefined` if
 * K3s's configuration does not name it.
 */
export async function formerPasswordRemoved(host: Host, paths: NodePaths): Promise<string | undefined> {
  const name = mergedFlags(await presentFlags(host, { kind: 'server', paths }))
    .get('node-name')
    ?.at(-1);
  if (name === undefined) {
    return undefined;
  }
  const access = await readKubeconfig(host, paths.k3s.kubeconfig);
  const secret = { apiVersion: 'v1', resource: 'secrets', namespace: 'kube-system' };
  await deleteObject(host, access, objectPath({ ...secret, name: `${name}.node-password.k3s` }));
  return name;
}
