import type { HostReader } from '../../../../engine/host.ts';
import { isServer, type K3sNode } from '../../../../node.ts';
import { etcdLog } from './disk.ts';
import { readFounding } from './record.ts';

/**
 * Returns the path without which systemd must not start K3s: the log of etcd, on a server that joins no other.
 * Otherwise K3s would found a second cluster at a boot without its data disk, before Slipway looks. `node` has the
 * membership that its disk has or that was decided for it.
 *
 * Returns `undefined` for any other node, and while K3s may found the cluster or moves it from SQLite, until the record
 * shows that this server has its cluster.
 */
export async function neededAtStart(host: HostReader, node: K3sNode): Promise<string | undefined> {
  const { settings, joins, paths } = node;
  if (!isServer(node) || settings.k3s.datastore !== 'etcd' || joins !== undefined) {
    return undefined;
  }
  const record = await readFounding(host, paths);
  const mayBegin = record?.state === 'founds' || record?.state === 'migrates';
  return mayBegin ? undefined : etcdLog(paths);
}
