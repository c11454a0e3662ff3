import type { DatabaseFacts } from '../../../engine/database.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { copyEtcd, etcdSize } from './copy-etcd.ts';
import { copySqlite, sqliteSize } from './copy-sqlite.ts';
import type { DatastoreKind } from './datastore-kind.ts';
import { etcdQueries } from './etcd-queries.ts';
import { kineQueries } from './kine.ts';

/** How one kind of datastore is copied. */
export interface DatastoreCopier {
  /**
   * Returns the size of the datastore, and the free bytes without which no copy is made; `undefined` before the first
   * start of K3s.
   */
  size(
    host: HostReader,
    paths: NodePaths,
  ): Promise<{ readonly bytes: number; readonly room: number } | undefined>;
  /** Copies the datastore to a file while K3s runs, and reads the copy back. */
  copy(
    host: Host,
    node: K3sNode,
    to: { readonly to: string; readonly room: number },
    signal: AbortSignal,
  ): Promise<DatabaseFacts>;
  /**
   * Reads a whole copy, with the facts for `kineFacts`; `undefined` if the file is missing. Throws `DatabaseDamaged` if
   * the file is not whole.
   */
  read(host: HostReader, path: string): Promise<DatabaseFacts | undefined>;
}

/** The kinds of datastore that Slipway copies. */
export const datastoreCopiers: Readonly<Partial<Record<DatastoreKind, DatastoreCopier>>> = {
  sqlite: {
    size: sqliteSize,
    copy: (host, { paths }, to, signal) => copySqlite(host, paths, to, signal),
    read: (host, path) => host.readDatabase(path, kineQueries),
  },
  etcd: {
    size: etcdSize,
    copy: copyEtcd,
    read: (host, path) => host.readSnapshot(path, etcdQueries),
  },
};
