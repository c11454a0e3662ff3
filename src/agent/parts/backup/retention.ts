import type { ObjectStore } from '../../stores/store.ts';
import { backupNames, clusterPrefix, idForm } from './names.ts';

/** The two objects of a backup in a store, with their sizes and the time of the newer one. */
export interface StoredBackup {
  readonly id: string;
  /** The size of the data in the store. */
  readonly bytes: number;
  readonly modifiedAt: number;
}

/** Returns the backups of a cluster that have data and a manifest, the oldest first. */
export async function storedBackups(store: ObjectStore, ca: string): Promise<readonly StoredBackup[]> {
  const prefix = clusterPrefix(ca);
  const objects = await store.list(prefix);
  const byName = new Map(objects.map((each) => [each.name, each]));
  const ids = new Set(objects.map(({ name }) => name.slice(prefix.length).split('/')[0] ?? ''));
  return [...ids].sort().flatMap((id) => {
    const names = backupNames(ca, id);
    const [data, manifest] = [byName.get(names.datastore), byName.get(names.manifest)];
    return idForm.test(id) && data && manifest
      ? [{ id, bytes: data.bytes, modifiedAt: Math.max(data.modifiedAt, manifest.modifiedAt) }]
      : [];
  });
}

/**
 * Removes the backups of a cluster that are older than the proven one, except as many as `retention` keeps besides it.
 * Never removes the proven one or a newer one. Removes the data before the manifest, so that a removal that was
 * interrupted is continued. Returns `refused` if the store does not let this node remove.
 */
export async function removeOlder(
  store: ObjectStore,
  proven: { readonly id: string; readonly ca: string },
  retention: number,
): Promise<'removed' | 'refused'> {
  const older = (await halfOrWhole(store, proven.ca)).filter((id) => id < proven.id);
  const surplus = older.slice(0, Math.max(0, older.length - (retention - 1)));
  for (const id of surplus) {
    const names = backupNames(proven.ca, id);
    for (const name of [names.datastore, names.manifest]) {
      if ((await store.remove(name)) === 'refused') {
        return 'refused';
      }
    }
  }
  return 'removed';
}

/** Returns the ids of the backups that have a manifest, even if their data is gone, the oldest first. */
async function halfOrWhole(store: ObjectStore, ca: string): Promise<readonly string[]> {
  const prefix = clusterPrefix(ca);
  const names = (await store.list(prefix)).map(({ name }) => name);
  const ids = names.flatMap((name) => {
    const id = name.slice(prefix.length).split('/')[0] ?? '';
    return idForm.test(id) && name === backupNames(ca, id).manifest ? [id] : [];
  });
  return ids.sort();
}
