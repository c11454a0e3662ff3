/**
 * A server with SQLite: its objects, its bootstrap data, and a state.db that was put in place of the old one.
 *
 * Models pkg/cluster/storage.go and bootstrap.go for a database that K3s does not manage: a server with the token of
 * the database takes its certificates from there; one with another token fails; one without any token first makes
 * certificates, and fails when it saves them.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rowKey } from './k3s-bootstrap.ts';
import { opened, otherToken, readShared, reconcile, rowOf, sealed } from './k3s-bootstrap-data.ts';
import { fatal } from './k3s-log.ts';
import { type Objects, openObjects, storedKeys } from './k3s-objects.ts';
import { storedAuthority } from './k3s-server-files.ts';
import { passwordOf } from './k3s-server-token.ts';
import type { StartingServer } from './k3s-shared.ts';
import { openSqlite, type SqliteKeys } from './k3s-sqlite.ts';

/** The SQLite of a running server. */
export interface SqliteServer {
  readonly objects: Objects;
  /** Stores the bootstrap data for a new server; keeps that of an old one. */
  save(password: string): void;
  /** Replaces the bootstrap data of one password by that of another. */
  rotate(from: string, to: string): void;
}

const prefix = '/registry/';
const failed = 'Error: preparing server: failed to bootstrap cluster data';

/**
 * Opens the SQLite of a server, and writes the files of a database that was put in place of the old one. Exits with
 * K3s's error if its bootstrap data has another token. On a booted host, whose disk may be small, a server has a
 * state.db only if there is one.
 */
export function openSqliteServer(server: StartingServer): SqliteServer {
  const { directory, files, node } = server;
  const folder = join(directory, 'db/objects');
  const path = join(directory, 'db/state.db');
  if (node.root === '/' && !existsSync(path)) {
    return { objects: openObjects(folder), save: () => undefined, rotate: () => undefined };
  }
  const isReplaced = existsSync(path) && identityIn(directory) !== identityOf(path);
  const isLost = !existsSync(path) && identityIn(directory) !== undefined;
  if (isReplaced || isLost) {
    rmSync(folder, { recursive: true, force: true });
    rmSync(join(directory, 'db/bootstrap.json'), { force: true });
  }
  const objects = openObjects(folder);
  const keys = openSqlite(path);
  if (isReplaced) {
    restoreFiles(server, keys);
    for (const [key, value] of keys.list(prefix)) {
      const [resource = '', space = '_'] = key.slice(prefix.length).split('/');
      objects.put(resource, space === '_' ? undefined : space, JSON.parse(value));
    }
  }
  writeFileSync(join(directory, 'db/objects.of'), identityOf(path), { mode: 0o600 });
  const store = (password: string) =>
    keys.put(rowOf(password), sealed(JSON.stringify(readShared(files)), password));
  follow(keys, objects, folder);
  setInterval(() => follow(keys, objects, folder), 2_000).unref();
  return {
    objects: mirrored(objects, keys),
    save: (password) => keys.get(rowOf(password)) ?? store(password),
    rotate(from, to) {
      store(to);
      if (rowOf(from) !== rowOf(to)) {
        keys.put(rowOf(from), undefined);
      }
    },
  };
}

/** Returns what tells a file from another one that replaced it. */
function identityOf(path: string): string {
  return String(statSync(path).ino);
}

function identityIn(directory: string): string | undefined {
  const path = join(directory, 'db/objects.of');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Writes the certificates and passwords of a database that replaced the old one. */
function restoreFiles(server: StartingServer, keys: SqliteKeys): void {
  const { directory, files } = server;
  const rows = keys.list('/bootstrap/');
  const hasToken = server.token !== undefined || files.read('token') !== undefined;
  const password = passwordOf(server);
  const own = keys.get(rowOf(password));
  if (own === undefined && rows.length > 0) {
    if (hasToken) {
      fatal(`${failed}: ${otherToken}`);
    }
    storedAuthority(directory, 'server-ca', 'k3s-server-ca');
    storedAuthority(directory, 'client-ca', 'k3s-client-ca');
    fatal(`Error: preparing server: failed to start cluster: failed to save bootstrap data: ${otherToken}`);
  }
  const newer = own === undefined ? [] : reconcile(files, JSON.parse(opened(own, password)));
  if (newer.length > 0) {
    fatal(
      `${newer.map((path) => join(directory, path)).join(', ')} newer than datastore and could cause a cluster outage. Remove the file(s) from disk and restart to be recreated from datastore.`,
    );
  }
  if (own !== undefined) {
    const row = {
      key: rowKey(password),
      passwd: files.read('cred/passwd'),
      at: files.modifiedAt('cred/passwd'),
    };
    files.write('db/bootstrap.json', `${JSON.stringify([row])}\n`);
  }
}

/** Brings the file up to date with the folder, which other programs may have changed. */
function follow(keys: SqliteKeys, objects: Objects, folder: string): void {
  const stored = new Map(keys.list(prefix));
  for (const { resource, namespace, name } of storedKeys(folder)) {
    const key = keyOf(resource, namespace, name);
    const object = objects.get(resource, namespace, name);
    if (object !== undefined && stored.get(key) !== JSON.stringify(object)) {
      keys.put(key, JSON.stringify(object));
    }
    stored.delete(key);
  }
  for (const key of stored.keys()) {
    keys.put(key, undefined);
  }
}

/** Returns objects whose changes reach the file at once. */
function mirrored(objects: Objects, keys: SqliteKeys): Objects {
  return {
    ...objects,
    put(resource, namespace, object) {
      const stored = objects.put(resource, namespace, object);
      keys.put(keyOf(resource, namespace, object.metadata.name), JSON.stringify(stored));
      return stored;
    },
    remove(resource, namespace, name) {
      keys.put(keyOf(resource, namespace, name), undefined);
      return objects.remove(resource, namespace, name);
    },
  };
}

function keyOf(resource: string, namespace: string | undefined, name: string): string {
  return `${prefix}${resource}/${namespace ?? '_'}/${name}`;
}
