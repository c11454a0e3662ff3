import { printableLine } from '../engine/printable.ts';
import type { ListedBackup } from '../parts/backup/index.ts';
import { columns } from './text-layout.ts';

/** Returns the backups in a store as a table for people. `to` is the setting that names the store. */
export function backupsTable(to: string, backups: readonly ListedBackup[]): string {
  if (backups.length === 0) {
    return `${printableLine(to)} has no backup.\n`;
  }
  const rows = backups.map(({ id, cluster, at, bytes, isProven }) => [
    id,
    new Date(at).toISOString().slice(0, 16).replace('T', ' '),
    `${Math.ceil(bytes / 1024 ** 2)} MB`,
    cluster,
    isProven ? 'proven' : '',
  ]);
  return `${columns([['BACKUP', 'MADE (UTC)', 'SIZE', 'CLUSTER', ''], ...rows]).join('\n')}\n`;
}
