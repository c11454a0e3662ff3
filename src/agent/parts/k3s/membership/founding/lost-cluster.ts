import { NodeError } from '../../../../engine/errors.ts';
import type { HostReader } from '../../../../engine/host.ts';
import { forPerson } from '../../../../engine/severity.ts';
import type { K3sNode } from '../../../../node.ts';
import { keepingMembership } from './kept-membership.ts';
import { neededAtStart } from './needed-at-start.ts';
import type { FoundingRecord } from './record.ts';

/**
 * Returns what the messages about a server with an empty datastore add if it had a cluster, as when its data disk is
 * not mounted; empty for a new server. The record of its membership, and the kubeconfig that K3s writes once it has
 * started its datastore, are not on the data disk.
 */
export async function lostCluster(
  host: HostReader,
  node: K3sNode,
  record: FoundingRecord | undefined,
): Promise<string> {
  const { data, datastore, kubeconfig } = node.paths.k3s;
  const hasRecord = record?.state === 'member' || record?.state === 'migrates';
  if (!hasRecord && (await host.stat(kubeconfig)) === undefined) {
    return '';
  }
  const isGuarded = (await neededAtStart(host, await keepingMembership(host, node))) !== undefined;
  return (
    ` K3s has run on this server, but ${datastore} is empty: if the disk of ${data} is missing, mount it, and this server ` +
    `keeps its cluster.${isGuarded ? ' Until then, systemd refuses to start K3s (AssertPathExists= in its unit).' : ''}`
  );
}

/** Returns `ClusterExists` for a marked server that had a cluster. `lost` is what `lostCluster` returns. */
export function clusterGone({ paths }: K3sNode, lost: string): NodeError {
  return new NodeError(
    'ClusterExists',
    `No other server answers, and this server founds no new cluster, whatever consent.founding names.${lost} If the other ` +
      'servers only do not answer, start them: this server then joins. If the cluster is lost, restore it with slipway ' +
      `restore. If it is given up, remove ${paths.slipway.founding} and ${paths.k3s.kubeconfig}: this server then counts as new.`,
    forPerson,
  );
}
