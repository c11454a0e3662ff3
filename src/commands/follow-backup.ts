/** The wait of `slipway backup` for the daemon, which makes the backup. */
import type { Host } from '../agent/engine/host.ts';
import { backupProgress, requestBackup } from '../agent/parts/backup/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { readStatus } from '../agent/report/status.ts';
import type { Tell } from '../setup/perform.ts';

/** The interval between two looks at the record, in milliseconds. */
const rhythm = 1_000;
/** The time after which a daemon that has not begun the backup counts as one that does not, in milliseconds. */
const patience = 30_000;

/**
 * Asks the daemon for a backup, prints each step, and waits until the backup is proven. Resolves to 0 if it is, and to
 * 1 with the reason if it was given up, if a step failed, or after `timeout` milliseconds; the daemon then continues.
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
  let last = '';
  for (;;) {
    const progress = await backupProgress(host, paths, to, since);
    if (progress.state === 'proven') {
      tell.out(`${progress.id} is proven: ${Math.ceil(progress.stored / 1024 ** 2)} MB in ${to}.`);
      return 0;
    }
    const waited = host.monotonic() - began;
    // A pass that began before the request may still report the failure of an earlier backup.
    const isEarly = progress.state === 'waits' && waited < patience;
    const trouble = isEarly
      ? undefined
      : progress.state === 'failed'
        ? progress.why
        : await troubleOf(host, paths, since);
    if (trouble !== undefined) {
      tell.error(trouble);
      return 1;
    }
    const line = progress.state === 'runs' ? `${progress.id}: Slipway ${progress.doing} ...` : '';
    if (line !== '' && line !== last) {
      tell.out(line);
      last = line;
    }
    if (waited >= timeout) {
      tell.error('The backup is not proven yet. The daemon continues; see: slipway status');
      return 1;
    }
    await host.sleep(rhythm);
  }
}

/** Returns why the backup makes no progress, from a status that is newer than the request; `undefined` if it does. */
async function troubleOf(host: Host, { slipway }: NodePaths, since: number): Promise<string | undefined> {
  const status = await readStatus(host, slipway.status);
  if (status === undefined || Date.parse(status.updated) < since) {
    return undefined;
  }
  const found = status.conditions.find(({ type }) => type === 'Backup');
  if (found === undefined) {
    return 'This node makes no backups: only the server that acts for its cluster does, and backup.to has to name a store in the settings of the daemon.';
  }
  return found.status === 'False' ? `${found.reason}: ${found.message} The daemon tries again.` : undefined;
}
