import { compactTime } from '../../engine/compact-time.ts';
import type { HostReader } from '../../engine/host.ts';
import type { NodePaths } from '../../paths.ts';
import { readRecord, type UnderWay } from './record.ts';

/** How far a backup is that a person has asked for. `doing` and `why` are for people. */
export type BackupProgress =
  | { readonly state: 'waits' }
  | { readonly state: 'runs'; readonly id: string; readonly doing: string }
  | { readonly state: 'proven'; readonly id: string; readonly stored: number }
  | { readonly state: 'failed'; readonly why: string };

/** Returns how far the backup is that was asked for at a time, in epoch milliseconds. */
export async function backupProgress(
  host: HostReader,
  paths: NodePaths,
  to: string,
  since: number,
): Promise<BackupProgress> {
  const { began, underWay, proven, failed } = await readRecord(host, paths, to);
  const begun = began === undefined ? Number.NaN : Date.parse(began);
  if (!(begun >= since)) {
    return { state: 'waits' };
  }
  if (underWay) {
    return { state: 'runs', id: underWay.id, doing: doingOf(underWay) };
  }
  return proven?.id.startsWith(compactTime(begun))
    ? { state: 'proven', id: proven.id, stored: proven.stored }
    : { state: 'failed', why: failed?.why ?? 'The backup was given up.' };
}

function doingOf({ description, packed, isStored }: UnderWay): string {
  if (description === undefined) {
    return 'copies the datastore';
  }
  if (packed === undefined) {
    return 'compresses the copy';
  }
  return isStored ? 'fetches it again and opens it' : 'stores it';
}
