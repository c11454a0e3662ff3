import type { Host } from '../agent/engine/host.ts';
import type { Knowledge } from '../agent/knowledge.ts';
import { type ListedBackup, listBackups } from '../agent/parts/backup/index.ts';
import { clusterCa } from '../agent/parts/k3s/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import type { Settings } from '../agent/settings/schema.ts';
import { objectStore } from '../agent/stores/index.ts';
import type { ObjectStore } from '../agent/stores/store.ts';
import type { CommonOptions } from './cli-common.ts';
import { misused } from './cli-forms.ts';
import { type Composition, compose } from './compose.ts';

/** The store that the settings name: the setting `backup.to`, and a function that makes the store. */
export interface NamedStore {
  readonly to: string;
  readonly store: () => ObjectStore;
}

/** Returns the store that the settings and tags of this machine name; `undefined` if they name none. */
export async function namedStore(options: CommonOptions): Promise<NamedStore | undefined> {
  const { gather, connect } = await compose(options);
  return storeIn(knownSettings(await gather()), connect);
}

/** Returns the settings that are known, with the tags if they are; throws the error of the settings otherwise. */
export function knownSettings({ files, tagged }: Pick<Knowledge, 'files' | 'tagged'>): Settings {
  const loaded = tagged.value?.loaded ?? files.value;
  if (!loaded) {
    throw files.error;
  }
  return loaded.settings;
}

/** Returns the store that settings name; `undefined` if they name none. */
export function storeIn(settings: Settings, connect: Composition['connect']): NamedStore | undefined {
  const { to } = settings.backup;
  return to === undefined
    ? undefined
    : { to, store: () => objectStore({ ...settings.backup, to }, connect(settings)) };
}

/** Returns the store that the settings name. Throws `InvalidSettings` if they name none. */
export async function requiredStore(options: CommonOptions, command: string): Promise<NamedStore> {
  return requireStore(await namedStore(options), command);
}

/** Throws `InvalidSettings` without a store. */
export function requireStore(found: NamedStore | undefined, command: string): NamedStore {
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
