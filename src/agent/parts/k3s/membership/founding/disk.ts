import { join } from 'node:path';
import type { HostReader } from '../../../../engine/host.ts';
import type { NodePaths } from '../../../../paths.ts';

/** The cluster that the disk of a server has. */
export type DiskCluster = 'etcd' | 'removed' | 'sqlite' | 'empty';

/** Returns the path of etcd's log, which exists once etcd has a cluster on the disk. */
export function etcdLog({ k3s }: NodePaths): string {
  return join(k3s.datastore, 'etcd/member/wal');
}

/** Returns the path of the file with which K3s notes that etcd has removed this server. */
export function tombstonePath({ k3s }: NodePaths): string {
  return join(k3s.datastore, 'etcd/tombstone');
}

/**
 * Returns which datastore is on the disk; `removed` if etcd has removed this server, which then must join again
 * (pkg/etcd/etcd.go, tombstoneFile). K3s keeps to etcd once its log exists, whatever the flags
 * (pkg/cluster/managed.go); etcd that was copied from SQLite leaves `state.db.migrated` behind.
 */
export async function clusterOnDisk(host: HostReader, paths: NodePaths): Promise<DiskCluster> {
  if ((await host.stat(tombstonePath(paths))) !== undefined) {
    return 'removed';
  }
  if ((await host.stat(etcdLog(paths))) !== undefined) {
    return 'etcd';
  }
  return (await host.stat(sqlite(paths))) === undefined ? 'empty' : 'sqlite';
}

/** True while K3s copies SQLite into etcd, and after an incomplete copy: it renames SQLite once it has copied all. */
export async function hasBothDatastores(host: HostReader, paths: NodePaths): Promise<boolean> {
  return (await host.stat(etcdLog(paths))) !== undefined && (await host.stat(sqlite(paths))) !== undefined;
}

function sqlite({ k3s }: NodePaths): string {
  return join(k3s.datastore, 'state.db');
}
