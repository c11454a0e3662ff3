/** `slipway backup`: has the daemon make a backup now, or lists the backups in the store. */
import { isLocked } from '../agent/host/files/lock.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { print } from '../agent/host/process/print.ts';
import { notBackedUp } from '../agent/parts/backup/index.ts';
import { nodePaths } from '../agent/paths.ts';
import { backupsTable } from '../agent/report/backups-table.ts';
import { backupsJson } from '../agent/report/output.ts';
import { requireRoot, tell } from '../setup/operator.ts';
import { backupsOf, requiredStore } from './backup-store.ts';
import type { BackupListOptions, BackupOptions } from './cli-backup.ts';
import { followBackup } from './follow-backup.ts';

/** Has the daemon make a backup, and waits for it. Resolves to 0 if it is proven, 1 if not, and 3 if no daemon runs. */
export async function backUp({ timeout, ...options }: BackupOptions): Promise<number> {
  requireRoot('backup', options.root, { does: 'asks the daemon for something that only root may ask for' });
  const host = nodeHost({ root: options.root });
  const paths = nodePaths(options.root);
  const { to } = await requiredStore(options, 'backup');
  const why = await notBackedUp(host, paths);
  if (why !== undefined) {
    tell.error(why);
    return 1;
  }
  if (!(await isLocked(host, paths.slipway.lock))) {
    tell.error('No daemon runs, and only the daemon makes backups. Start it: systemctl start slipway');
    return 3;
  }
  return followBackup(host, paths, { to, timeout }, tell);
}

/**
 * Prints the backups in the store: those of this node's cluster, or of every cluster if this node has none or with
 * `all`. Resolves to 0, even for an empty list.
 */
export async function listBackups({ all, output, ...options }: BackupListOptions): Promise<number> {
  const store = await requiredStore(options, 'backup list');
  const { to } = store;
  const found = await backupsOf(nodeHost({ root: options.root }), nodePaths(options.root), store, all);
  print(output === 'json' ? backupsJson(to, found) : backupsTable(to, found));
  return 0;
}
