/**
 * The copies of SQLite databases that a Host makes and reads, each in a child process, because a database may have
 * gigabytes.
 */

/** Questions to a database, by name: each is a SQL query that changes nothing. */
export type DatabaseQueries = Readonly<Record<string, string>>;

/**
 * The facts about a whole SQLite database. A Host reads them from the file, and throws `DatabaseDamaged` if SQLite
 * finds a fault in the file or cannot answer a query.
 */
export interface DatabaseFacts {
  readonly bytes: number;
  /** The lower-case hex SHA-256 of the file. */
  readonly sha256: string;
  /** The answer to each query: the first column of its first hundred rows, as strings. */
  readonly answers: Readonly<Record<string, readonly string[]>>;
}

/**
 * A copy of a SQLite database by SQLite's online backup: the copy has one state of the database, even if other
 * processes write meanwhile. A Host reads the copy back before the copy appears at `to`.
 *
 * Throws `DatabaseDamaged` if the source is missing or not a database, or if the copy has a fault or cannot answer a
 * query, and `DiskFull` if the file system has less room than demanded.
 */
export interface DatabaseCopy {
  readonly from: string;
  /** The file to create or replace, with mode 0600. If its directory is missing, it is created with mode 0700. */
  readonly to: string;
  /** The queries that the finished copy answers. */
  readonly queries: DatabaseQueries;
  /** The bytes that must be free in the file system of `to` before the copy begins. */
  readonly room: number;
}
