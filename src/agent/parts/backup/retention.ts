import type { ObjectStore, StoredObject } from '../../stores/store.ts';
import { backupNames, clusterOf, partsOf } from './names.ts';

/** A backup in a store that has data and a manifest. */
export interface StoredBackup {
  readonly id: string;
  /** The name of its cluster in the store. */
  readonly cluster: string;
  /** The size of the data in the store. */
  readonly bytes: number;
}

/** Returns the whole backups of a cluster, or of every cluster, by cluster and time. */
export async function storedBackups(
  store: ObjectStore,
  cluster: string | undefined,
): Promise<readonly StoredBackup[]> {
  const objects = await store.list(cluster === undefined ? '' : `${cluster}/`);
  const sizes = new Map(objects.map(({ name, bytes }) => [name, bytes]));
  return withManifest(objects).flatMap(({ cluster, id }) => {
    const bytes = sizes.get(backupNames(cluster, id).datastore);
    return bytes === undefined ? [] : [{ id, cluster, bytes }];
  });
}

/** Returns the backups that have a manifest, even if their data is gone, by cluster and time. */
function withManifest(objects: readonly StoredObject[]) {
  const found = objects.flatMap(({ name }) => {
    const parts = partsOf(name);
    return parts && name === backupNames(parts.cluster, parts.id).manifest ? [parts] : [];
  });
  return found.sort((one, other) => (`${one.cluster}${one.id}` < `${other.cluster}${other.id}` ? -1 : 1));
}

/** Which older backups stay: how many besides the proven one, and the ones that do not count. */
export interface Retention {
  readonly retention: number;
  readonly unproven: readonly string[];
}

/**
 * Removes the backups of a cluster that are older than the proven one: those that are known as unproven, and of the
 * others all except as many as `retention` keeps besides the proven one. Never removes the proven one or a newer one.
 * Removes the data before the manifest, so that a removal that was interrupted is continued. Returns `refused` if the
 * store does not let this node remove.
 */
export async function removeOlder(
  store: ObjectStore,
  proven: { readonly id: string; readonly ca: string },
  { retention, unproven }: Retention,
): Promise<'removed' | 'refused'> {
  const cluster = clusterOf(proven.ca);
  const found = withManifest(await store.list(`${cluster}/`));
  const older = found.flatMap(({ id }) => (id < proven.id ? [id] : []));
  const counted = older.filter((id) => !unproven.includes(id));
  const surplus = counted.slice(0, Math.max(0, counted.length - (retention - 1)));
  for (const id of older.filter((each) => unproven.includes(each) || surplus.includes(each))) {
    const names = backupNames(cluster, id);
    for (const name of [names.datastore, names.manifest]) {
      if ((await store.remove(name)) === 'refused') {
        return 'refused';
      }
    }
  }
  return 'removed';
}
