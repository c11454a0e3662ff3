import { DatabaseSync } from 'node:sqlite';
import type { DatabaseFacts, DatabaseQueries } from '../../src/agent/engine/database.ts';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { damaged } from '../../src/agent/host/database/database-errors.ts';

/** Returns the SQL that makes a database with Kine's table and these keys (kine, pkg/drivers/sqlite/sqlite.go). */
export function kineSql(keys: readonly string[]): string {
  const rows = keys.map((key) => `INSERT INTO kine (name, created, deleted) VALUES ('${key}', 1, 0);`);
  return [kineTable, ...rows].join('\n');
}

const kineTable = `CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER,
  deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB);
CREATE INDEX kine_name_index ON kine (name);
CREATE INDEX kine_name_id_index ON kine (name,id);
CREATE INDEX kine_id_deleted_index ON kine (id,deleted);
CREATE INDEX kine_prev_revision_index ON kine (prev_revision);
CREATE UNIQUE INDEX kine_name_prev_revision_uindex ON kine (name, prev_revision);`;

/**
 * Returns the facts about a database of a MemoryHost. The content of its file is the SQL that makes the database, which
 * SQLite runs in memory. Throws `DatabaseDamaged` if SQLite refuses the SQL or a query.
 */
export function memoryDatabase(path: string, sql: string, queries: DatabaseQueries): DatabaseFacts {
  const database = new DatabaseSync(':memory:');
  try {
    database.exec(sql);
    const answers = Object.entries(queries).map(([name, query]) => {
      const rows = database.prepare(query).all().slice(0, 100);
      return [name, rows.map((row) => String(Object.values(row)[0]))] as const;
    });
    return { bytes: Buffer.byteLength(sql), sha256: sha256(sql), answers: Object.fromEntries(answers) };
  } catch (thrown) {
    throw damaged(path, thrown);
  } finally {
    database.close();
  }
}
