import { join } from 'node:path';
import type { Host, HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, step } from '../../engine/resource.ts';
import { type K3sNode, unitName } from '../../node.ts';
import type { NodePaths } from '../../paths.ts';
import { showUnit } from '../../resources/unit.ts';
import { sqlitePath } from './datastore/datastore-kind.ts';
import { clusterOnDisk } from './membership/founding/disk.ts';
import { etcdAside, incompleteAside } from './membership/founding/incomplete-etcd.ts';
import { type FoundingRecord, readFounding, writeFounding } from './membership/founding/record.ts';
import { startJournal, unitProperties } from './service/starting.ts';
import { stopK3s } from './service/stop-k3s.ts';

/** The milliseconds in which the first seconds of a cluster can be repeated after a fault. */
const recent = 3_600_000;
/** Matches the fatal line of a K3s whose etcd has no keys of the cluster (pkg/cluster/bootstrap.go). */
const noKeys = /no bootstrap data found in datastore/;
/** Matches the fatal line of a K3s whose etcd has no content, or a damaged one (pkg/etcd/store/store.go). */
const noContent = /failed to reconcile with local datastore: .*failed to read consistent index/;

/**
 * Repairs a server on which K3s ended in the first seconds of its cluster, such as by a fault of its configuration. K3s
 * saves the keys of a cluster in etcd about five seconds after it has started etcd, and does not start on an etcd
 * without them.
 *
 * Acts only if K3s names this cause at a failed start, within an hour after the present state of the record began: the
 * etcd of an older cluster is damaged, not unfinished, and is left to a person. Acts twice at most, since each time
 * leaves an etcd on the disk. On a server that founds its cluster, moves an etcd aside that no API server has used, and
 * lets the server decide anew how it comes to its cluster. On a server that moves from SQLite, gives the database back
 * its name, so that K3s copies it again. A server that joins another one repairs itself: K3s fetches the keys from
 * there.
 */
export function foundingRepaired(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Cluster/repaired',
    summary: 'let K3s begin its cluster again after an interruption',
    condition: 'Role',
    isQuiet: true,
    needs,
    async check(host) {
      const record = await readFounding(host, node.paths);
      const isFirst = record !== undefined && record.server === undefined && host.now() - record.at < recent;
      const hasEtcd = (await clusterOnDisk(host, node.paths)) === 'etcd';
      return isFirst && hasEtcd && (await isUnfinished(host, node, record))
        ? ((await repair(host, node, record)) ?? inSync())
        : inSync();
    },
  };
}

async function isUnfinished(host: HostReader, node: K3sNode, { state }: FoundingRecord): Promise<boolean> {
  const unit = unitName(node.role.k3s);
  const { ActiveState, SubState, InvocationID } = await showUnit(host, unit, unitProperties);
  if (ActiveState !== 'failed' && SubState !== 'auto-restart') {
    return false;
  }
  const log = await startJournal(host, unit, InvocationID);
  // K3s renames SQLite once etcd has all of it, so an etcd without content is then a damaged one.
  const lacks = noKeys.test(log) || (state !== 'migrates' && noContent.test(log));
  return lacks && !(await hasServed(host, node.paths, state)) && (await triedTimes(host, node.paths)) < 2;
}

async function repair(host: HostReader, node: K3sNode, record: FoundingRecord): Promise<Finding | undefined> {
  const { paths } = node;
  const copied = `${sqlitePath(paths)}.migrated`;
  if (record.state === 'migrates') {
    return (await host.stat(copied)) === undefined
      ? undefined
      : repaired(node, async (changing) => {
          await changing.rename(copied, sqlitePath(paths));
          await incompleteAside(changing, paths);
        });
  }
  return repaired(node, async (changing) => {
    // K3s writes it before its API runs. It would count as the trace of a cluster that this server had.
    await changing.remove(paths.k3s.kubeconfig);
    await writeFounding(changing, paths, { ...record, state: 'founds', at: changing.now() });
    await etcdAside(changing, paths);
  });
}

/**
 * True if the API server has run on this disk, so that etcd may have objects, or if K3s has reached its snapshots,
 * which it does after it has saved the keys (seen on K3s 1.36). On a server that moves from SQLite, only the snapshots
 * show it, since its API server has run before. The size of etcd shows nothing: it has 16 MB from the start.
 */
async function hasServed(
  host: HostReader,
  { k3s }: NodePaths,
  state: FoundingRecord['state'],
): Promise<boolean> {
  const ofApi = join(k3s.serverTls, 'temporary-certs/apiserver-loopback-client__.crt');
  const traces = [join(k3s.datastore, 'snapshots'), ...(state === 'migrates' ? [] : [ofApi])];
  const found = await Promise.all(traces.map((path) => host.stat(path)));
  return found.some((each) => each !== undefined);
}

/** Returns how many unfinished etcds were moved aside here. */
async function triedTimes(host: HostReader, { k3s }: NodePaths): Promise<number> {
  const names = await host.list(k3s.datastore);
  return names.filter((name) => name.startsWith('etcd-incomplete-')).length;
}

/** Returns the step that stops K3s before the repair. */
function repaired(node: K3sNode, remedy: (host: Host) => Promise<void>): Finding {
  const change = { field: 'etcd', observed: 'without the keys of the cluster', desired: 'begun again' };
  return step(
    change,
    async (changing) => {
      await stopK3s(changing, node);
      await remedy(changing);
    },
    { summary: 'stop K3s, move its unfinished etcd aside, and let it begin its cluster again' },
  );
}
