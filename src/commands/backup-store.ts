import type { Host } from '../agent/engine/host.ts';
import { type ListedBackup, listBackups } from '../agent/parts/backup/index.ts';
import { clusterCa } from '../agent/parts/k3s/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { objectStore } from '../agent/stores/index.ts';
import type { ObjectStore } from '../agent/stores/store.ts';
import type { CommonOptions } from './cli-common.ts';
import { misused } from './cli-forms.ts';
import { compose } from './compose.ts';

/** The store that the settings name: the setting `backup.to`, and a function that makes the store. */
export interface NamedStore {
  readonly to: string;
  readonly store: () => ObjectStore;
}

/** Returns the store that the settings and tags of this machine name; `undefined` if they name none. */
export async function namedStore(options: CommonOptions): Promise<NamedStore | undefined> {
  const { gather, connect } = await compose(options);
  const { files, tagged } = await gather();
  const loaded = tagged.value?.loaded ?? files.value;
  if (!loaded) {
    throw files.error;
  }
  const { settings } = loaded;
  const { to } = settings.backup;
  return to === undefined
    ? undefined
    : { to, store: () => objectStore({ ...settings.backup, to }, connect(settings)) };
}

/** Returns the store that the settings name. Throws `InvalidSettings` if they name none. */
export async function requiredStore(options: CommonOptions, command: string): Promise<NamedStore> {
  const found = await namedStore(options);
  if (found === undefined) {
    throw misused(
      command,
      'backup.to names no store. Set it in /etc/slipway/config.yaml, or with --set; see docs/usage/backup.md.',
    );
  }
  return found;
}

/** Returns the backups in a store: of this machine's cluster, or of every cluster if it has none or with `all`. */
export async function backupsOf(
  host: Host,
  paths: NodePaths,
  { to, store }: NamedStore,
  all = false,
): Promise<readonly ListedBackup[]> {
  const ca = all ? undefined : await clusterCa(host, paths);
  return listBackups(host, paths, store(), { to, ca });
}
