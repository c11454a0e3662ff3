import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';

/** SQLite's result codes for a lock that another process holds, and for a full disk (sqlite3.h, "Result Codes"). */
const [busy, full] = [5, 13];

/**
 * Returns the error for a database at `path` that cannot be read or copied: `DatabaseDamaged`, or `DiskFull`, or
 * `FileSystemError` if another process holds a lock. Returns a NodeError unchanged.
 */
export function damaged(path: string, why: unknown): NodeError {
  if (why instanceof NodeError) {
    return why;
  }
  const said = why instanceof Error ? why.message : String(why);
  switch (sqliteCodeOf(why)) {
    case full:
      return new NodeError('DiskFull', `Cannot copy ${path}: the disk is full. Free some space there.`);
    case busy:
      return new NodeError(
        'FileSystemError',
        `Cannot read ${path}: another process holds its lock (${said}). It is tried again.`,
      );
    default:
      return new NodeError(
        'DatabaseDamaged',
        `${path} cannot be used as a database: ${said}. Use another copy, or repair the file.`,
        forPerson,
      );
  }
}

/** Returns the primary result code of SQLite's error; `undefined` for any other error. */
function sqliteCodeOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') {
    return undefined;
  }
  return thrown.errcode & 0xff;
}
