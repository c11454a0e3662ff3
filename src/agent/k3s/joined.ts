import { NodeError } from '../core/errors.ts';
import type { HostReader } from '../core/host.ts';
import type { Finding, Resource } from '../core/resource.ts';
import type { K3sNode } from './node.ts';

/** Whether K3s has been part of a cluster here: a server has its token then, an agent its server's CA. */
export async function joinedCluster(host: HostReader, { role, paths }: K3sNode): Promise<boolean> {
  const proof = role.k3s === 'server' ? paths.k3s.serverToken : paths.k3s.agentServerCa;
  return (await host.stat(proof)) !== undefined;
}

/**
 * The same Resource, whose trouble holds up nobody on a node that has joined: what K3s runs with works, and it has to
 * be watched and started again all the same.
 */
export function sparingJoined(node: K3sNode, resource: Resource): Resource {
  return {
    ...resource,
    async check(host) {
      if (!(await joinedCluster(host, node))) return resource.check(host);
      try {
        return tolerable(await resource.check(host));
      } catch (thrown) {
        throw thrown instanceof NodeError ? thrown.sparing() : thrown;
      }
    },
  };
}

function tolerable(finding: Finding): Finding {
  if (finding.state !== 'Drifted') return finding;
  return { ...finding, drift: { ...finding.drift, tolerable: true } };
}
