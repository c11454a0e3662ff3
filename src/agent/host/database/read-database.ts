import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import type { DatabaseFacts, DatabaseQueries } from '../../engine/database.ts';
import { damaged } from './database-errors.ts';

/** The most rows of an answer. */
const mostRows = 100;

/**
 * Reads a whole SQLite database: checks its integrity, answers the queries, and computes its digest. `shown` is the
 * path for messages. Throws `DatabaseDamaged`, and the system's errors.
 */
export async function databaseFacts(
  path: string,
  queries: DatabaseQueries,
  shown: string,
): Promise<DatabaseFacts> {
  const answers = answersOf(path, queries, shown);
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  return { bytes: size, sha256: await digestOf(file), answers };
}

function answersOf(path: string, queries: DatabaseQueries, shown: string): DatabaseFacts['answers'] {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const [fault] = firstColumn(database, 'PRAGMA integrity_check(1)');
    if (fault !== 'ok') {
      throw damaged(shown, `SQLite's integrity check says: ${fault}`);
    }
    const found: [string, readonly string[]][] = [];
    for (const [name, query] of Object.entries(queries)) {
      found.push([name, firstColumn(database, query)]);
    }
    return Object.fromEntries(found);
  } catch (thrown) {
    throw damaged(shown, thrown);
  } finally {
    database?.close();
  }
}

function firstColumn(database: DatabaseSync, query: string): readonly string[] {
  const statement = database.prepare(query);
  statement.setReadBigInts(true);
  const rows: string[] = [];
  for (const row of statement.iterate()) {
    rows.push(String(Object.values(row)[0]));
    if (rows.length === mostRows) {
      break;
    }
  }
  return rows;
}

async function digestOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 })) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}
