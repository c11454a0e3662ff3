import { join } from 'node:path';
import { compactTime } from '../../../../engine/compact-time.ts';
import type { Host } from '../../../../engine/host.ts';
import type { NodePaths } from '../../../../paths.ts';
import { hasBothDatastores } from './disk.ts';
import { readFounding } from './record.ts';

/**
 * Moves etcd aside if K3s was interrupted while it copied SQLite into etcd, so that its next start copies again: K3s
 * itself does not once the log of etcd exists, and would serve an incomplete datastore. K3s must not run.
 */
export async function incompleteAside(host: Host, paths: NodePaths): Promise<void> {
  const isMoving = (await readFounding(host, paths))?.state === 'migrates';
  if (isMoving && (await hasBothDatastores(host, paths))) {
    await etcdAside(host, paths);
  }
}

/** Moves an etcd aside that has no cluster, or not all of it. K3s must not run. */
export async function etcdAside(host: Host, { k3s }: NodePaths): Promise<void> {
  const etcd = join(k3s.datastore, 'etcd');
  await host.rename(etcd, `${etcd}-incomplete-${compactTime(host.now())}`);
}
