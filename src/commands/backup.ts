/** `slipway backup`: has the daemon make a backup now, or lists the backups in the store. */
import { isLocked } from '../agent/host/files/lock.ts';
import { print } from '../agent/host/process/print.ts';
import { listBackups as backupsIn } from '../agent/parts/backup/index.ts';
import { clusterCa } from '../agent/parts/k3s/index.ts';
import { backupsTable } from '../agent/report/backups-table.ts';
import { backupsJson } from '../agent/report/output.ts';
import { objectStore } from '../agent/stores/index.ts';
import { requireRoot, tell } from '../setup/operator.ts';
import type { BackupListOptions, BackupOptions } from './cli-backup.ts';
import type { CommonOptions } from './cli-common.ts';
import { misused } from './cli-forms.ts';
import { compose } from './compose.ts';
import { followBackup } from './follow-backup.ts';

/** Has the daemon make a backup, and waits for it. Resolves to 0 if it is proven, 1 if not, and 3 if no daemon runs. */
export async function backUp({ timeout, ...options }: BackupOptions): Promise<number> {
  requireRoot('backup', options.root, { does: 'asks the daemon for something that only root may ask for' });
  const { host, paths, to } = await storeOf(options, 'backup');
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
  const { host, paths, to, store } = await storeOf(options, 'backup list');
  const ca = all ? undefined : await clusterCa(host, paths);
  const found = await backupsIn(host, paths, store(), { to, ca });
  print(output === 'json' ? backupsJson(to, found) : backupsTable(to, found));
  return 0;
}

/** Returns the store that the settings and tags of this machine name. Throws `InvalidSettings` if they name none. */
async function storeOf(options: CommonOptions, command: string) {
  const { gather, connect, host, paths } = await compose(options);
  const { files, tagged } = await gather();
  const loaded = tagged.value?.loaded ?? files.value;
  if (!loaded) {
    throw files.error;
  }
  const { settings } = loaded;
  const { to } = settings.backup;
  if (to === undefined) {
    throw misused(
      command,
      'backup.to names no store. Set it in /etc/slipway/config.yaml; see docs/usage/backup.md.',
    );
  }
  return { host, paths, to, store: () => objectStore({ ...settings.backup, to }, connect(settings)) };
}
