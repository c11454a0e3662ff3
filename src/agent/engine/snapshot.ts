/**
 * The snapshots of etcd that a Host reads, each in a child process, because a snapshot may have gigabytes. The facts
 * about a snapshot have the form of those about a SQLite database (database.ts).
 */

/**
 * A question to a snapshot: its newest revision; how many of its revisions put a key that begins with `count`, or the
 * present keys that begin with `names`.
 */
export type SnapshotQuery = 'revision' | { readonly count: string } | { readonly names: string };

/** Questions to a snapshot, by name. */
export type SnapshotQueries = Readonly<Record<string, SnapshotQuery>>;
