import { join } from 'node:path';
import type { SnapshotQueries } from '../../../engine/snapshot.ts';
import type { NodePaths } from '../../../paths.ts';

/**
 * The questions to a snapshot of etcd, as `kineQueries` has them for SQLite: how many revisions are objects of
 * Kubernetes, the newest revision, and the names of the bootstrap data.
 */
export const etcdQueries: SnapshotQueries = {
  objects: { count: '/registry/' },
  revision: 'revision',
  bootstrap: { names: '/bootstrap/' },
};

/** Returns the path of the database of a server's etcd. */
export function etcdPath({ k3s }: NodePaths): string {
  return join(k3s.datastore, 'etcd/member/snap/db');
}
