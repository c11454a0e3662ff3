import type { HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { type DatastoreKind, datastoreKinds } from '../datastore/datastore-kind.ts';
import { clusterCa } from '../datastore/keep-copy.ts';
import { clusterOnDisk } from '../membership/founding/disk.ts';
import { compareVersions, parseVersion } from '../upgrade/version.ts';
import { restoreRefused } from './restore-refused.ts';
import { restoreUnderWay } from './restore-state.ts';

/** A server without a cluster, as the settings want it. A restore first installs K3s on it. */
export interface FreshServer {
  readonly datastore: DatastoreKind;
  /** The release of K3s that will be installed, or the name of a channel. */
  readonly version: string;
}

/** True if this machine has no cluster, and no restore is under way. */
export async function hasNoCluster(host: HostReader, paths: NodePaths): Promise<boolean> {
  return (
    (await restoreUnderWay(host, paths)) === undefined &&
    (await clusterOnDisk(host, paths)) === 'empty' &&
    (await clusterCa(host, paths)) === undefined
  );
}

/**
 * Throws `RestoreRefused` for a machine without a cluster on which K3s has run, as when its data disk is not mounted:
 * the copy would end up on the root disk. The kubeconfig that K3s writes once its API runs is not on the data disk.
 */
export async function requireNeverServed(host: HostReader, { k3s, slipway }: NodePaths): Promise<void> {
  if ((await host.stat(k3s.kubeconfig)) !== undefined) {
    throw restoreRefused(
      `K3s has run on this server (${k3s.kubeconfig} exists), but ${k3s.datastore} is empty. If the disk of ${k3s.data} is ` +
        'missing, mount it, and this server keeps its cluster. If that disk is lost, remove ' +
        `${slipway.founding} and ${k3s.kubeconfig}: this server then counts as new`,
    );
  }
}

/**
 * Throws `RestoreRefused` for a copy that is not for a fresh server: of another kind of datastore, or of a K3s newer
 * than the one that will be installed. The token is compared once it was fetched.
 */
export function requireSuited(
  { datastore, version }: FreshServer,
  copy: { readonly datastore: string; readonly k3s: string },
): void {
  if (copy.datastore !== datastore) {
    throw restoreRefused(
      `the settings want ${datastoreKinds[datastore]}, and the copy is of ${copy.datastore}. Set k3s.datastore: ${copy.datastore}`,
    );
  }
  const [have, wrote] = [parseVersion(version), parseVersion(copy.k3s)];
  if (have && wrote && compareVersions(have, wrote) < 0) {
    throw restoreRefused(
      `K3s ${copy.k3s} wrote the copy, and the settings want ${version}: a datastore is only for the same or a newer K3s. Set ` +
        `k3s.version: ${copy.k3s}`,
    );
  }
}
