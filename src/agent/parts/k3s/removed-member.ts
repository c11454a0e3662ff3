import type { Host, HostReader } from '../../engine/host.ts';
import { inSync, type Resource, step } from '../../engine/resource.ts';
import { type K3sNode, unitName } from '../../node.ts';
import { showUnit } from '../../resources/unit.ts';
import { clusterOnDisk, tombstonePath } from './membership/founding/disk.ts';
import { serverToken } from './membership/founding/etcd-founding.ts';
import { livingClusters } from './membership/founding/restored-cluster.ts';
import { startJournal, unitProperties } from './service/starting.ts';
import { stopK3s } from './service/stop-k3s.ts';

/** Matches the line of etcd, in JSON, to which another member has said that the cluster has removed this one. */
const removed =
  /^\{"level":"(?:warn|error|fatal)".*"error":"the member has been permanently removed from the cluster"/m;
/**
 * The lines of a start to search: etcd writes the line once, and K3s then logs that it waits, for as long as it
 * does.
 */
const searchedLines = 5_000;

/**
 * Lets a server join again whose member was removed while it was off, as with its Node.
 *
 * K3s writes a tombstone only if it runs when its member is removed. If it starts later, it waits without end: etcd
 * ends, and nothing starts it again (seen on K3s 1.36). So this writes the tombstone, with which the next start of K3s
 * moves the database to etcd-backup-TIME and joins.
 *
 * The line alone does not suffice: a server that was reset alone says the same to the majority. So at least two other
 * members must have a living cluster without this one, which was not restored, and no server may show a cluster with
 * it. Otherwise changes nothing; for a restored cluster, see `refuseFormer`.
 */
export function removedNoted(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Cluster/removed',
    summary: 'rejoin a server that etcd has removed',
    condition: 'Role',
    isQuiet: true,
    needs,
    async check(host) {
      const hasEtcd = (await clusterOnDisk(host, node.paths)) === 'etcd';
      if (!hasEtcd || !(await saysRemoved(host, node)) || !(await isProven(host, node))) {
        return inSync();
      }
      const change = { field: 'etcd', observed: 'of a removed member', desired: 'joined again' };
      return step(change, (changing) => noteRemoval(changing, node), {
        summary: 'stop K3s, and let it move its etcd aside and join again',
      });
    },
  };
}

async function saysRemoved(host: HostReader, { role }: K3sNode): Promise<boolean> {
  const unit = unitName(role.k3s);
  const { ActiveState, SubState, InvocationID } = await showUnit(host, unit, unitProperties);
  const isStarting = ActiveState === 'activating' && SubState !== 'auto-restart';
  return isStarting && removed.test(await startJournal(host, unit, InvocationID, searchedLines));
}

async function isProven(host: HostReader, node: K3sNode): Promise<boolean> {
  const token = await serverToken(host, node);
  const clusters = token === undefined ? [] : await livingClusters(host, node, token);
  return (
    clusters.length > 0 &&
    clusters.every(({ hasThis, members, restoredAt }) => !hasThis && members > 1 && restoredAt === undefined)
  );
}

async function noteRemoval(host: Host, node: K3sNode): Promise<void> {
  await stopK3s(host, node);
  await host.writeFile(tombstonePath(node.paths), '', { mode: 0o600 });
}
