import { join } from 'node:path';
import type { Host, HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, step } from '../../engine/resource.ts';
import { type K3sNode, unitName } from '../../node.ts';
import type { NodePaths } from '../../paths.ts';
import { showUnit, systemctl } from '../../resources/unit.ts';
import { sqlitePath } from './datastore/datastore-kind.ts';
import { clusterOnDisk } from './membership/founding/disk.ts';
import { etcdAside, incompleteAside } from './membership/founding/incomplete-etcd.ts';
import { type FoundingRecord, readFounding, writeFounding } from './membership/founding/record.ts';
import { startJournal, unitProperties } from './service/starting.ts';

/** The milliseconds that systemd may take to stop K3s; its default is 90 seconds. */
const longestStop = 100_000;
/**
 * Matches the fatal line of a K3s whose etcd has no keys of the cluster, or nothing at all (pkg/cluster/bootstrap.go,
 * pkg/etcd/store/store.go).
 */
const noKeys =
  /no bootstrap data found in datastore|failed to reconcile with local datastore: .*failed to read consistent index/;

/**
 * Repairs a server on which K3s ended in the first seconds of its cluster, such as by a fault of its configuration. K3s
 * saves the keys of a cluster in etcd about five seconds after it has started etcd, and does not start on an etcd
 * without them.
 *
 * Acts only if K3s names this cause at a failed start. On a server that founds its cluster, moves an etcd aside that no
 * API server has used, and lets the server decide anew how it comes to its cluster. On a server that moves from SQLite,
 * gives the database back its name, so that K3s copies it again. A server that joins another one repairs itself: K3s
 * fetches the keys from there.
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
      const isFirst = record !== undefined && record.server === undefined;
      const hasEtcd = (await clusterOnDisk(host, node.paths)) === 'etcd';
      return isFirst && hasEtcd && (await lacksKeys(host, node))
        ? ((await repair(host, node, record)) ?? inSync())
        : inSync();
    },
  };
}

async function lacksKeys(host: HostReader, node: K3sNode): Promise<boolean> {
  const unit = unitName(node.role.k3s);
  const { ActiveState, SubState, InvocationID } = await showUnit(host, unit, unitProperties);
  const hasFailed = ActiveState === 'failed' || SubState === 'auto-restart';
  return hasFailed && noKeys.test(await startJournal(host, unit, InvocationID));
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
  return (await hasServed(host, paths))
    ? undefined
    : repaired(node, async (changing) => {
        // K3s writes it before its API runs. It would count as the trace of a cluster that this server had.
        await changing.remove(paths.k3s.kubeconfig);
        await writeFounding(changing, paths, { ...record, state: 'founds', at: changing.now() });
        await etcdAside(changing, paths);
      });
}

/**
 * True if the API server has run on this disk, so that etcd may have objects, or if K3s has come to its snapshots,
 * which it does after it has saved the keys (seen on K3s 1.36). The size of etcd shows nothing: it has 16 MB from
 * the start.
 */
async function hasServed(host: HostReader, { k3s }: NodePaths): Promise<boolean> {
  const traces = [
    join(k3s.serverTls, 'temporary-certs/apiserver-loopback-client__.crt'),
    join(k3s.datastore, 'snapshots'),
  ];
  const found = await Promise.all(traces.map((path) => host.stat(path)));
  return found.some((each) => each !== undefined);
}

/** Returns the step that stops K3s before the repair. */
function repaired({ role }: K3sNode, remedy: (host: Host) => Promise<void>): Finding {
  const change = { field: 'etcd', observed: 'without the keys of the cluster', desired: 'begun again' };
  return step(
    change,
    async (changing) => {
      await changing.run({ ...systemctl('stop', unitName(role.k3s)), timeout: longestStop });
      await remedy(changing);
    },
    { summary: 'stop K3s, move its unfinished etcd aside, and let it begin its cluster again' },
  );
}
