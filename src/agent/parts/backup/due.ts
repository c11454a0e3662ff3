import type { HostReader } from '../../engine/host.ts';
import type { NodePaths } from '../../paths.ts';
import type { BackupRecord } from './record.ts';
import { isRequested } from './request.ts';

/** The wait after a backup that was given up, in milliseconds: it may have sent gigabytes. */
const afterFailure = 3_600_000;

/** Returns the next time of the schedule after a time, in epoch milliseconds, with the delay of this node. */
export type NextBackup = (after: number) => number;

/**
 * Returns when the next backup is due, in epoch milliseconds: now for the first one, and if the last one began in the
 * future, because the clock was set back.
 */
export function dueTime({ began, failed }: BackupRecord, now: number, next: NextBackup): number {
  const last = began === undefined ? undefined : Date.parse(began);
  if (last === undefined || last > now) {
    return now;
  }
  const failedAt = failed && Date.parse(failed.at);
  const again = failedAt === undefined || failedAt > now ? Number.POSITIVE_INFINITY : failedAt + afterFailure;
  return Math.min(next(last), again);
}

/** True if a backup is due, or if a person has asked for one. */
export async function isDue(
  host: HostReader,
  paths: NodePaths,
  record: BackupRecord,
  next: NextBackup,
): Promise<boolean> {
  return dueTime(record, host.now(), next) <= host.now() || (await isRequested(host, paths));
}

/** The shortest time after which a backup that does not end makes room for the next one, in milliseconds. */
const patience = 6 * 3_600_000;

/**
 * True if a backup that is under way is not worth its end: the next one is due, and the present one is six hours old;
 * or it began in the future, because the clock was set back.
 */
export function isOutdated({ began }: BackupRecord, now: number, next: NextBackup): boolean {
  const last = began === undefined ? Number.NaN : Date.parse(began);
  return !(last <= now && now < Math.max(next(last), last + patience));
}
