/**
 * The move of a server from SQLite to etcd.
 *
 * Models pkg/etcd/etcd.go (migrateFromSQLite: every key below /registry/ goes to the new cluster, and state.db gets the
 * ending `.migrated`). The SQLite of the lab is a folder of JSON files, beside which there may be a state.db.
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { log } from './k3s-log.ts';
import { openObjects, storedKeys } from './k3s-objects.ts';
import type { KeyStore } from './k3s-store.ts';

/** Copies the objects of the SQLite in DD/server/db, if there is one, and renames its files. */
export async function migrateSqlite(store: KeyStore, directory: string): Promise<void> {
  const folder = join(directory, 'db/objects');
  const keys = existsSync(folder) ? storedKeys(folder) : [];
  if (keys.length === 0) {
    return;
  }
  log('info', 'Migrating content from sqlite to etcd');
  const objects = openObjects(folder);
  for (const { resource, namespace, name } of keys) {
    const key = `/registry/${resource}/${namespace ?? '_'}/${name}`;
    log('info', `Migrating etcd key ${key}`);
    await store.write({ key, value: JSON.stringify(objects.get(resource, namespace, name)), base: 0 });
  }
  for (const file of ['objects', 'bootstrap.json', 'state.db']) {
    const path = join(directory, 'db', file);
    if (existsSync(path)) {
      renameSync(path, `${path}.migrated`);
    }
  }
}
