import type { Host } from '../../engine/host.ts';
import { underway } from '../../engine/jobs.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import type { K3sNode } from '../../node.ts';
import { copyWait, datastoreKind, datastoreKinds } from '../k3s/index.ts';
import { dueTime, isDue, isOutdated } from './due.ts';
import { backupFiles } from './files.ts';
import { backupId } from './names.ts';
import type { BackupPorts } from './ports.ts';
import { type BackupRecord, readRecord, withoutUnderWay, writeRecord } from './record.ts';
import { isRequested } from './request.ts';
import { backupSource } from './source.ts';
import { pruneStep, underWayStep } from './steps.ts';

/**
 * Makes backups of the datastore as scheduled, and when a person asks for one: copies the datastore, compresses the
 * copy, stores it with its manifest, fetches it again and opens it. Only then does it count, and older ones are
 * removed. Each step is a job, and a crash between steps repeats at most one of them. A failure never blocks the node,
 * and the removal of older ones never blocks the next backup.
 *
 * The copy begins only while K3s is up. A backup that is not proven within six hours makes room for the next one.
 */
export function backupMade(
  node: K3sNode,
  to: string,
  ports: BackupPorts,
  needs: readonly string[],
): Resource {
  const { paths } = node;
  return {
    id: 'Backup/made',
    summary: `back up the datastore to ${to}`,
    condition: 'Backup',
    needs,
    async check(host) {
      const kind = await datastoreKind(host, paths);
      const source = backupSource(kind);
      if (source === undefined) {
        return inSync({
          message: `not by Slipway: this server keeps its datastore in ${datastoreKinds[kind]}`,
        });
      }
      const running =
        (await host.job(paths.slipway.backupWork)) ?? (await host.job(paths.slipway.datastoreCopy));
      if (running) {
        return underway(running, false);
      }
      const record = await readRecord(host, paths, to);
      const now = host.now();
      if (record.underWay && !isOutdated(record, now, ports.next)) {
        const step = await underWayStep(host, { node, source, ports }, record, record.underWay);
        return step ?? begin(node, record, 'begin the backup again, because its files are gone');
      }
      const isNext = await isDue(host, paths, record, ports.next);
      const { proven } = record;
      if (proven && proven.older === undefined && !(isNext && proven.isStuck)) {
        return pruneStep({ node, source, ports }, record, proven);
      }
      if (!isNext) {
        return settled(record, now, ports);
      }
      const wait = await copyWait(host, node, 'the backup');
      return wait ?? begin(node, record, 'begin a backup of the datastore');
    },
  };
}

/** Returns a step that begins a backup: it removes the files of an earlier one, and records the new one. */
function begin({ paths, name }: K3sNode, record: BackupRecord, summary: string): Finding {
  const remedy = async (host: Host) => {
    const isByPerson = await isRequested(host, paths);
    const now = host.now();
    await host.remove(backupFiles(paths).folder);
    const underWay = { id: backupId(now, name), reason: isByPerson ? 'by hand' : 'by schedule' };
    await writeRecord(host, paths, {
      ...withoutUnderWay(record),
      began: new Date(now).toISOString(),
      underWay,
    });
    await host.remove(paths.slipway.backupRequest);
  };
  const observed = record.proven?.id;
  const changes = [{ field: 'backup', observed, desired: 'a new one' }];
  return { state: 'Drifted', drift: { changes, summary, partial: true, blocks: false, due: true, remedy } };
}

function settled(record: BackupRecord, now: number, { next }: BackupPorts): Finding {
  const { proven, failed } = record;
  const until = dueTime(record, now, next);
  if (failed) {
    return waiting('BackupNotProven', failed.why, { ...advisory, after: Math.max(0, until - now) });
  }
  const older =
    proven?.older === 'refused' ? '; the store keeps older ones, since this node may not remove them' : '';
  return inSync({ until, message: `the last proven backup is ${proven?.id}${older}` });
}
