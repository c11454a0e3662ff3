import { join } from 'node:path';
import type { HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { mergedFlags } from '../flags/flags.ts';
import { presentFlags } from '../flags/start-flags.ts';

/** The kinds of datastore of a server, each with a name for messages. */
export const datastoreKinds = {
  sqlite: 'SQLite',
  etcd: 'embedded etcd',
  external: 'an external datastore',
} as const;

export type DatastoreKind = keyof typeof datastoreKinds;

/**
 * Returns the kind of datastore of a server, as K3s picks it (pkg/cluster/managed.go, pkg/cli/server): etcd that exists
 * wins over every flag, then `datastore-endpoint` counts, then `cluster-init` or the server to join; otherwise
 * SQLite. A SQLite database counts until K3s has moved it to etcd.
 */
export async function datastoreKind(host: HostReader, paths: NodePaths): Promise<DatastoreKind> {
  if ((await host.stat(join(paths.k3s.datastore, 'etcd/member/wal'))) !== undefined) {
    return 'etcd';
  }
  const flags = mergedFlags(await presentFlags(host, { kind: 'server', paths }));
  const isGiven = (name: string) => !['', 'false'].includes(flags.get(name)?.at(-1) ?? '');
  if (isGiven('datastore-endpoint')) {
    return 'external';
  }
  // Until K3s has moved to etcd, and has renamed this file, it runs with SQLite.
  const hasSqlite = (await host.stat(sqlitePath(paths))) !== undefined;
  return !hasSqlite && (isGiven('cluster-init') || isGiven('server')) ? 'etcd' : 'sqlite';
}

/** Returns the path of the SQLite datastore of a server. */
export function sqlitePath({ k3s }: NodePaths): string {
  return join(k3s.datastore, 'state.db');
}
