/**
 * The SQLite of a server, a real file DD/server/db/state.db with the table of kine (k3s-io/kine pkg/drivers/sqlite), as
 * Slipway copies and restores it.
 *
 * While K3s runs, the folder of JSON files beside it has the objects, and this file follows the folder: a test may edit
 * the folder. At a start, another state.db than that of the last start replaces the folder.
 */
import { writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** The keys in the file. */
export interface SqliteKeys {
  get(key: string): string | undefined;
  /** Returns the keys that begin with `prefix`, with their values. */
  list(prefix: string): readonly (readonly [string, string])[];
  /** Stores a value; `undefined` removes the key. */
  put(key: string, value: string | undefined): void;
}

const schema = [
  `CREATE TABLE IF NOT EXISTS kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER,
    deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)`,
  'CREATE INDEX IF NOT EXISTS kine_name_index ON kine (name)',
  'CREATE INDEX IF NOT EXISTS kine_name_id_index ON kine (name, id)',
  'CREATE INDEX IF NOT EXISTS kine_id_deleted_index ON kine (id, deleted)',
  'CREATE INDEX IF NOT EXISTS kine_prev_revision_index ON kine (prev_revision)',
  'CREATE UNIQUE INDEX IF NOT EXISTS kine_name_prev_revision_uindex ON kine (name, prev_revision)',
];

/** Opens or makes the file, with the settings of kine, and removes the values that later ones have replaced. */
export function openSqlite(path: string): SqliteKeys {
  // SQLite gives its log the mode of the file.
  writeFileSync(path, '', { flag: 'a', mode: 0o600 });
  const database = new DatabaseSync(path, { timeout: 30_000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  for (const statement of schema) {
    database.exec(statement);
  }
  database.exec('DELETE FROM kine WHERE id NOT IN (SELECT max(id) FROM kine GROUP BY name)');
  const newest = database.prepare(
    'SELECT id, deleted, create_revision, value FROM kine WHERE name = ? ORDER BY id DESC',
  );
  const insert = database.prepare(
    `INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease, value, old_value)
      VALUES (?, ?, ?, ?, ?, 0, ?, ?)`,
  );
  const all = database.prepare(
    `SELECT name, value FROM kine WHERE id IN (SELECT max(id) FROM kine GROUP BY name) AND deleted = 0
      AND substr(name, 1, length(?1)) = ?1 ORDER BY name`,
  );
  /** The newest row of a key, and the row of its value unless it was removed. */
  const rowsOf = (key: string) => {
    const last = newest.get(key);
    return { last, held: last?.deleted === 1 ? undefined : last };
  };
  return {
    get(key) {
      const { held } = rowsOf(key);
      return held === undefined ? undefined : textOf(held.value);
    },
    list: (prefix) => all.all(prefix).map(({ name, value }) => [String(name), textOf(value)] as const),
    put(key, value) {
      const { last, held } = rowsOf(key);
      if (value === undefined && held === undefined) {
        return;
      }
      const before = held?.value ?? null;
      const stored = value === undefined ? before : Buffer.from(value);
      const flags = [held === undefined ? 1 : 0, value === undefined ? 1 : 0] as const;
      insert.run(key, ...flags, held?.create_revision ?? 0, last?.id ?? 0, stored, before);
    },
  };
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : '';
}
