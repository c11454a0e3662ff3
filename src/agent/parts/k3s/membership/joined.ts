import type { HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { sparing } from '../../../resources/sparing.ts';

/** Whether K3s has been part of a cluster here: a server has its token then, an agent its server's CA. */
export async function joinedCluster(host: HostReader, node: K3sNode): Promise<boolean> {
  return (await host.stat(proofOfJoining(node))) !== undefined;
}

/** Returns the path of the file that only a K3s that has joined has. */
export function proofOfJoining({ role, paths }: K3sNode): string {
  return role.k3s === 'server' ? paths.k3s.serverToken : paths.k3s.agentServerCa;
}

/**
 * The same Resource, whose trouble holds up nobody on a node that has joined: what K3s runs with works, and it has to
 * be watched and started again all the same.
 */
export function sparingJoined(node: K3sNode, resource: Resource): Resource {
  return {
    ...resource,
    async check(host) {
      const checked = (await joinedCluster(host, node)) ? sparing(resource) : resource;
      return checked.check(host);
    },
  };
}
