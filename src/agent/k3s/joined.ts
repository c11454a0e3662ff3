import type { HostReader } from '../core/host.ts';
import type { K3sNode } from './node.ts';

/** Whether K3s has been part of a cluster here: a server has its token then, an agent its server's CA. */
export async function joinedCluster(host: HostReader, { role, paths }: K3sNode): Promise<boolean> {
  const proof = role.k3s === 'server' ? paths.k3s.serverToken : paths.k3s.agentServerCa;
  return (await host.stat(proof)) !== undefined;
}
