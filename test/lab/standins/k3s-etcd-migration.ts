/**
 * The move of a server from SQLite to etcd.
 *
 * Models pkg/etcd/etcd.go (migrateFromSQLite): every key below /registry/ goes to the new cluster, and state.db gets
 * the ending `.migrated`; its -wal and -shm may remain.
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { log } from './k3s-log.ts';
import { openSqlite } from './k3s-sqlite.ts';
import type { KeyStore } from './k3s-store.ts';

/** Copies the objects of the SQLite in DD/server/db, if there is one, and renames its files. */
export async function migrateSqlite(store: KeyStore, directory: string): Promise<void> {
  const database = join(directory, 'db/state.db');
  if (!existsSync(database)) {
    return;
  }
  log('info', 'Migrating content from sqlite to etcd');
  for (const [key, value] of openSqlite(database).list('/registry/')) {
    log('info', `Migrating etcd key ${key}`);
    await store.write({ key, value, base: 0 });
  }
  // The folder and the files beside it are only the stand-in's.
  for (const file of ['objects', 'bootstrap.json', 'objects.of']) {
    const path = join(directory, 'db', file);
    if (existsSync(path)) {
      renameSync(path, `${path}.migrated`);
    }
  }
  renameSync(database, `${database}.migrated`);
}
