import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import type { ObjectStore } from '../../stores/store.ts';
import type { BackupFiles } from './files.ts';
import { type BackupManifest, readManifestText } from './manifest.ts';
import { type BackupNames, longestManifest } from './names.ts';

/** Where a backup is, and the local files to which it is fetched. */
export interface Fetching {
  readonly store: ObjectStore;
  readonly names: BackupNames;
  readonly files: Pick<BackupFiles, 'returned' | 'opened'>;
}

/**
 * Reads the manifest of a backup in a store; `undefined` if the store has none. Throws `DatabaseDamaged` if it is not
 * the manifest of a backup.
 */
export async function storedManifest(
  store: ObjectStore,
  { manifest }: BackupNames,
): Promise<BackupManifest | undefined> {
  const text = await store.read(manifest, longestManifest);
  if (text === undefined) {
    return undefined;
  }
  const found = readManifestText(text);
  if (found === undefined) {
    throw unlike(`${manifest} in ${store.name} is not the manifest of a backup`);
  }
  return found;
}

/**
 * Fetches the data of a backup, and decompresses it to `files.opened`. Throws `DatabaseDamaged` if a size or a digest
 * differs from the manifest, and the errors of the store.
 */
export async function fetchData(
  host: Host,
  { store, names, files }: Fetching,
  { packed, bytes, sha256 }: Pick<BackupManifest, 'packed' | 'bytes' | 'sha256'>,
  signal?: AbortSignal,
): Promise<void> {
  await store.fetch(names.datastore, files.returned, packed.bytes, signal);
  const made = await host.decompress({ from: files.returned, to: files.opened, limit: bytes }, signal);
  const isSame =
    made.packed.bytes === packed.bytes &&
    made.packed.sha256 === packed.sha256 &&
    made.plain.bytes === bytes &&
    made.plain.sha256 === sha256;
  if (!isSame) {
    throw unlike(`${names.datastore} in ${store.name} is not the file that was stored: its digest differs`);
  }
}

function unlike(what: string): NodeError {
  return new NodeError('DatabaseDamaged', `${what}.`);
}
