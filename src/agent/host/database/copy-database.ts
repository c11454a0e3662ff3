import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { DatabaseCopy, DatabaseFacts } from '../../engine/database.ts';
import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import { replaceWith } from '../files/atomic-write.ts';
import { errnoOf } from '../files/file-errors.ts';
import { diskOf } from '../files/free-space.ts';
import { inPlace } from '../files/openat.ts';
import { damaged } from './database-errors.ts';
import { databaseFacts } from './read-database.ts';

/** The longest wait for a lock that a writer holds, in milliseconds. */
const longestWait = 30_000;

/**
 * Pages per step: more than any datastore has, so that the copy is one step. If another process commits between two
 * steps, SQLite begins anew (sqlite.org/backup.html), so beside a busy writer the copy would never end.
 */
const allPages = 0x7fffffff;

/**
 * Copies a SQLite database as `DatabaseCopy` describes. A process that ends in the middle leaves a hidden draft, which
 * the next copy to the same path removes.
 */
export async function copyDatabase(
  { from, to, queries, room }: DatabaseCopy,
  root: string,
): Promise<DatabaseFacts> {
  await refuseNarrow(from, dirname(to), room);
  await makePrivate(dirname(to), root);
  let facts: DatabaseFacts | undefined;
  await replaceWith(
    to,
    async (draft) => {
      await using file = await open(draft, 'wx', 0o600);
      await file.chmod(0o600);
      await backUp(from, draft);
      facts = await databaseFacts(draft, queries, to);
      await file.sync();
    },
    root,
  );
  if (facts === undefined) {
    throw new NodeError('InternalError', `The copy ${to} was not read back.`);
  }
  return facts;
}

async function refuseNarrow(from: string, folder: string, room: number): Promise<void> {
  const { available } = await diskOf(folder);
  const megabytes = Math.ceil(room / 1024 ** 2);
  if (available < megabytes) {
    throw new NodeError(
      'DiskFull',
      `${from} was not copied to ${folder}: a copy needs ${megabytes} MB of free space there, and ${available} MB are free.`,
      forPerson,
    );
  }
}

/** Creates a directory with mode 0700, if it is missing. */
export async function makePrivate(folder: string, root: string): Promise<void> {
  await inPlace(folder, { root, make: true }, async ({ path }) => {
    await mkdir(path, 0o700).catch((thrown) => {
      if (errnoOf(thrown) !== 'EEXIST') {
        throw thrown;
      }
    });
  });
}

/**
 * Copies the database, and makes the copy a single file: otherwise, opening the copy of a database with a write-ahead
 * log would create such a log beside the copy.
 */
async function backUp(from: string, draft: string): Promise<void> {
  let source: DatabaseSync | undefined;
  let copy: DatabaseSync | undefined;
  try {
    source = new DatabaseSync(from, { readOnly: true, timeout: longestWait });
    await backup(source, draft, { rate: allPages });
    copy = new DatabaseSync(draft);
    copy.exec('PRAGMA journal_mode = DELETE');
  } catch (thrown) {
    throw damaged(from, thrown);
  } finally {
    copy?.close();
    source?.close();
  }
}
