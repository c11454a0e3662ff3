import type { HostReader } from '../../engine/host.ts';
import { type K3sNode, mayActForCluster } from '../../node.ts';
import { datastoreKind } from '../k3s/index.ts';
import { dueTime } from './due.ts';
import type { BackupPorts } from './ports.ts';
import { readRecord } from './record.ts';
import { backupSource } from './source.ts';

/** The backups of a server, for the reports of a pass. Times are in epoch milliseconds. */
export interface BackupStatus {
  /** The setting `backup.to`. */
  readonly to: string;
  /** The last proven backup; absent before the first one. */
  readonly proven?: ProvenBackup;
  /** When the next backup is due. */
  readonly due: number;
}

/** A backup that was read back: the size of the datastore in it, and its size in the store. */
export interface ProvenBackup {
  readonly id: string;
  readonly madeAt: number;
  readonly bytes: number;
  readonly stored: number;
}

/** Returns the state of the backups; `undefined` on a node that makes none. */
export async function backupStatus(
  host: HostReader,
  node: K3sNode,
  { next }: Pick<BackupPorts, 'next'>,
): Promise<BackupStatus | undefined> {
  const { paths, settings } = node;
  const { to } = settings.backup;
  if (to === undefined || !mayActForCluster(node) || !backupSource(await datastoreKind(host, paths))) {
    return undefined;
  }
  const record = await readRecord(host, paths, to);
  const due = dueTime(record, host.now(), next);
  if (record.proven === undefined) {
    return { to, due };
  }
  const { id, madeAt, bytes, stored } = record.proven;
  return { to, due, proven: { id, madeAt: Date.parse(madeAt), bytes, stored } };
}
