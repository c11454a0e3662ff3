import type { Status } from './status.ts';
import { age, inTime } from './text-layout.ts';

/**
 * Returns a line about the backups: the age and the size of the last proven one, and when the next one is due. Returns
 * an empty string on a node that makes no backups.
 */
export function backupLine({ backup }: Pick<Status, 'backup'>, now: number): string {
  if (backup === undefined) {
    return '';
  }
  const { proven, due } = backup;
  const next = `the next one is due ${inTime(due, now, 'never')}`;
  if (proven === undefined) {
    return `no backup is proven yet, ${next}`;
  }
  const megabytes = Math.ceil(proven.stored / 1024 ** 2);
  return `last proven backup ${age(now - Date.parse(proven.made))} ago (${megabytes} MB), ${next}`;
}
