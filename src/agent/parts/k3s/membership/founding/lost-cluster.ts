import type { HostReader } from '../../../../engine/host.ts';
import type { K3sNode } from '../../../../node.ts';
import { keepingMembership } from './kept-membership.ts';
import { neededAtStart } from './needed-at-start.ts';

/**
 * Returns what the messages about a server without a datastore add if K3s has run on it before, as when its data disk
 * is not mounted; empty for a new server. The kubeconfig that K3s writes is not on the data disk.
 */
export async function lostCluster(host: HostReader, node: K3sNode): Promise<string> {
  const { data, datastore, kubeconfig } = node.paths.k3s;
  if ((await host.stat(kubeconfig)) === undefined) {
    return '';
  }
  const isGuarded = (await neededAtStart(host, await keepingMembership(host, node))) !== undefined;
  return (
    ` K3s has run on this server, but ${datastore} is empty: if the disk of ${data} is missing, mount it, and this server ` +
    `keeps its cluster.${isGuarded ? ' Until then, systemd refuses to start K3s (AssertPathExists= in its unit).' : ''}`
  );
}
