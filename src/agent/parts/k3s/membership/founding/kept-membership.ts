import type { HostReader } from '../../../../engine/host.ts';
import { isServer, type K3sNode } from '../../../../node.ts';
import { configuredServer } from './configured-server.ts';
import { clusterOnDisk } from './disk.ts';
import { readFounding } from './record.ts';

/**
 * Returns a server with the datastore and the membership that its disk has or that was decided for it. A server with
 * SQLite keeps it until the change to etcd has consent: with `server`, K3s would join and ignore its own datastore.
 * Returns any other node unchanged.
 */
export async function keepingMembership(host: HostReader, node: K3sNode): Promise<K3sNode> {
  if (!isServer(node) || node.settings.k3s.datastore !== 'etcd') {
    return node;
  }
  const record = await readFounding(host, node.paths);
  if ((await clusterOnDisk(host, node.paths)) === 'sqlite') {
    return record?.state === 'migrates' ? node : withSqlite(node);
  }
  const joins = record === undefined ? await configuredServer(host, node.paths) : record.server;
  return { ...node, joins };
}

function withSqlite(node: K3sNode): K3sNode {
  const { settings } = node;
  return { ...node, settings: { ...settings, k3s: { ...settings.k3s, datastore: 'sqlite' } } };
}
