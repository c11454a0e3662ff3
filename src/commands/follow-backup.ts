/** The wait of `slipway backup` for the daemon, which makes the backup. */
import type { Host } from '../agent/engine/host.ts';
import { type BackupProgress, backupProgress, requestBackup, takeBack } from '../agent/parts/backup/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { readStatus } from '../agent/report/status.ts';
import type { Tell } from '../setup/perform.ts';

/** The interval between two looks at the record, in milliseconds. */
const rhythm = 1_000;
/** The time after which a daemon that has not begun the backup counts as one that does not, in milliseconds. */
const patience = 30_000;

/**
 * Asks the daemon for a backup, prints each step, and waits until the backup is proven. Resolves to 0 if it is, and to
 * 1 with the reason if it was given up, if a step failed, or after `timeout` milliseconds. The daemon then continues,
 * but does not begin a backup that it has not begun.
 */
export async function followBackup(
  host: Host,
  paths: NodePaths,
  { to, timeout }: { readonly to: string; readonly timeout: number },
  tell: Tell,
): Promise<number> {
  const since = host.now();
  const began = host.monotonic();
  await requestBackup(host, paths);
  const said = new Set<string>();
  for (;;) {
    const progress = await backupProgress(host, paths, to, since);
    if (progress.state === 'proven') {
      tell.out(`${progress.id} is proven: ${Math.ceil(progress.stored / 1024 ** 2)} MB in ${to}.`);
      return 0;
    }
    const waited = host.monotonic() - began;
    const end =
      (await troubleOf(host, paths, { since, waited, progress })) ??
      (waited < timeout ? undefined : timedOut(progress));
    if (end !== undefined) {
      tell.error(end.says);
      if (end.isIdle) {
        await takeBack(host, paths);
      }
      return 1;
    }
    for (const line of await linesOf(host, paths, { since, progress })) {
      if (!said.has(line)) {
        tell.out(line);
        said.add(line);
      }
    }
    await host.sleep(rhythm);
  }
}

/** The end of a wait without a proven backup. `isIdle` is true if the daemon has not begun, and will not soon. */
interface End {
  readonly says: string;
  readonly isIdle?: boolean;
}

interface Followed {
  readonly since: number;
  readonly progress: BackupProgress;
}

/** Returns why the backup makes no progress, from a status that is newer than the request; `undefined` if it does. */
async function troubleOf(
  host: Host,
  { slipway }: NodePaths,
  { since, waited, progress }: Followed & { readonly waited: number },
): Promise<End | undefined> {
  if (progress.state === 'failed') {
    return { says: progress.why };
  }
  const isWaiting = progress.state === 'waits';
  // A pass that began before the request may still report the failure of an earlier backup.
  const status = isWaiting && waited < patience ? undefined : await readStatus(host, slipway.status);
  if (status === undefined || Date.parse(status.updated) < since) {
    return undefined;
  }
  const found = status.conditions.find(({ type }) => type === 'Backup');
  if (found === undefined) {
    return { says: makesNone, isIdle: isWaiting };
  }
  if (found.status === 'False') {
    return { says: `${found.reason}: ${found.message} The daemon tries again.` };
  }
  return isWaiting && found.reason === 'InSync'
    ? { says: `This server does not begin a backup: ${found.message}.`, isIdle: true }
    : undefined;
}

/** Returns the step of the backup, and what the daemon waits for, or why it tries the step again. */
async function linesOf(
  host: Host,
  { slipway }: NodePaths,
  { since, progress }: Followed,
): Promise<readonly string[]> {
  const status = await readStatus(host, slipway.status);
  const isNew = status !== undefined && Date.parse(status.updated) >= since;
  const found = isNew ? status.conditions.find(({ type }) => type === 'Backup') : undefined;
  const isTriedAgain = found?.status === 'Unknown' && !busy.includes(found.reason);
  return [
    ...(progress.state === 'runs' ? [`${progress.id}: Slipway ${progress.doing} ...`] : []),
    ...(isTriedAgain
      ? [`${found.reason}: ${found.message.replace(/\.$/, '')}. Slipway tries again ...`]
      : []),
  ];
}

/** The reasons of a condition while a step runs, or is about to. */
const busy: readonly string[] = ['InProgress', 'Recorded', 'Blocked'];

const makesNone =
  'This node makes no backups: only the server that acts for its cluster does, and backup.to has to name a store in the settings of the daemon.';

function timedOut({ state }: BackupProgress): End {
  return state === 'waits'
    ? {
        says: 'The daemon has not begun the backup, so the request was taken back; see: slipway status',
        isIdle: true,
      }
    : { says: 'The backup is not proven yet. The daemon continues; see: slipway status' };
}
