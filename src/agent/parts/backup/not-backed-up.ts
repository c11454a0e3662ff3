import type { HostReader } from '../../engine/host.ts';
import type { NodePaths } from '../../paths.ts';
import { type DatastoreKind, datastoreKind, datastoreKinds } from '../k3s/index.ts';
import { backupSource } from './source.ts';

/** Returns why Slipway does not back up the datastore of this server, and what does; `undefined` if Slipway does. */
export async function notBackedUp(host: HostReader, paths: NodePaths): Promise<string | undefined> {
  const kind = await datastoreKind(host, paths);
  return backupSource(kind) === undefined
    ? `Slipway does not back up ${datastoreKinds[kind]}, in which this server keeps its datastore. Use ${others[kind]}; see docs/usage/backup.md.`
    : undefined;
}

/** What backs up each kind of datastore that Slipway does not. */
const others: Readonly<Record<DatastoreKind, string>> = {
  sqlite: 'slipway backup',
  etcd: 'slipway backup',
  external: 'the tools of the database',
};
