import { ok, type Probe, skipped, type Verdict, warning } from '../../doctor/probe.ts';
import type { HostReader } from '../../engine/host.ts';
import { isOnlyServer, type K3sNode, mayActForCluster } from '../../node.ts';
import { datastoreKind, datastoreKinds } from '../k3s/index.ts';
import { readRecord } from './record.ts';
import { backupSource } from './source.ts';

/** The age in milliseconds from which the last proven backup is worth a warning if it is older. */
const old = 3 * 24 * 3_600_000;

/** Returns the probe that looks for a proven backup; an empty list on a node that does not act for the cluster. */
export function backupProbes(host: HostReader, node: K3sNode | undefined): readonly Probe[] {
  return node !== undefined && mayActForCluster(node)
    ? [{ about: 'node', what: 'backups of the datastore', look: () => lookForBackup(host, node) }]
    : [];
}

async function lookForBackup(host: HostReader, node: K3sNode): Promise<Verdict> {
  const { paths, settings } = node;
  const { to } = settings.backup;
  if (to === undefined) {
    return skipped('backup.to names no store, so a loss of this disk is a loss of the cluster');
  }
  const kind = await datastoreKind(host, paths);
  if (backupSource(kind) === undefined) {
    return skipped(`Slipway does not back up ${datastoreKinds[kind]}; see docs/usage/backup.md`);
  }
  const { proven, failed } = await readRecord(host, paths, to);
  if (failed !== undefined) {
    return warning(failed.why, 'look at the store, and run slipway backup');
  }
  if (proven === undefined && !isOnlyServer(node)) {
    return skipped(
      'this server has made none; the one under Acting in slipway status makes those of the cluster',
    );
  }
  if (proven === undefined) {
    return warning(`none in ${to} is proven yet`, 'run slipway backup, and look at the condition Backup');
  }
  const age = host.now() - Date.parse(proven.madeAt);
  const megabytes = Math.ceil(proven.stored / 1024 ** 2);
  const found = `the last proven one is ${proven.id} (${megabytes} MB) in ${to}`;
  // Another server of several may have made the newer ones.
  return age < old || !isOnlyServer(node)
    ? ok(found)
    : warning(`${found}, which is old`, 'look at the condition Backup, or run slipway backup');
}
