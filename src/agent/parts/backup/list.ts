import type { HostReader } from '../../engine/host.ts';
import type { NodePaths } from '../../paths.ts';
import type { ObjectStore } from '../../stores/store.ts';
import { clusterOf, timeOf } from './names.ts';
import { readRecord } from './record.ts';
import { type StoredBackup, storedBackups } from './retention.ts';

/** A backup in a store, for people. */
export interface ListedBackup extends StoredBackup {
  /** When it was begun, in epoch milliseconds. */
  readonly at: number;
  /** True if it is the last backup that this node has proven. */
  readonly isProven: boolean;
}

/** Which backups to list: those of the cluster with this CA, or of every cluster; and the setting `backup.to`. */
export interface Listing {
  readonly ca: string | undefined;
  readonly to: string;
}

/** Returns the whole backups in a store, by cluster and time. */
export async function listBackups(
  host: HostReader,
  paths: NodePaths,
  store: ObjectStore,
  { ca, to }: Listing,
): Promise<readonly ListedBackup[]> {
  const { proven } = await readRecord(host, paths, to);
  const found = await storedBackups(store, ca && clusterOf(ca));
  return found.map((each) => ({
    ...each,
    at: timeOf(each.id),
    isProven: proven?.id === each.id && clusterOf(proven.ca) === each.cluster,
  }));
}
