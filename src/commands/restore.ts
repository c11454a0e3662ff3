/** The command `slipway restore`: replaces the datastore of a single server with a copy. */
import type { Host } from '../agent/engine/host.ts';
import { diskOf } from '../agent/host/files/free-space.ts';
import { acquireLock } from '../agent/host/files/lock.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { outliveOutput } from '../agent/host/process/print.ts';
import { abortedBySignals } from '../agent/host/process/signals.ts';
import { restoreOf } from '../agent/parts/k3s/index.ts';
import { type NodePaths, nodePaths } from '../agent/paths.ts';
import { requireOwnShell, requireRoot, tell } from '../setup/operator.ts';
import { perform } from '../setup/perform.ts';
import { daemonBack, replaceDatastore } from '../setup/restore.ts';
import { restorePlan, restoreSteps } from '../setup/restore-steps.ts';
import { daemonUnit } from '../setup/setup-paths.ts';
import { isAgreed } from './agree.ts';
import { namedStore, requiredStore } from './backup-store.ts';
import type { RestoreOptions } from './cli-backup.ts';
import { copyToRestore, forgetFetched, listRestorable } from './restore-source.ts';

/**
 * Fetches a backup that has an id instead of a path, prints what a restore will do, asks unless `yes` is true, and
 * restores. Without `from`, prints what could be restored. Resolves to 0 after that, and after the restore; to 2 with
 * `plan`; and to 1 if a person declined, a step failed, or a signal such as that of Ctrl-C interrupted it.
 *
 * Throws `RestoreRefused`, `RestoreFailed`, and `InvalidSettings` if there is no terminal to ask on, or no store.
 */
export async function restore(options: RestoreOptions): Promise<number> {
  const { root, from, plan } = options;
  outliveOutput();
  const host = nodeHost({ root });
  const paths = nodePaths(root);
  if (from === undefined) {
    requireRoot('restore', root, { does: 'reads what only root may read' });
    await listRestorable(host, paths, { named: () => namedStore(options), tell });
    return 0;
  }
  if (!plan) {
    requireRoot('restore', root);
    await requireOwnShell(host);
  }
  try {
    return await restoreFrom(host, paths, { ...options, from });
  } finally {
    if (!plan) {
      await forgetFetched(host, paths);
    }
  }
}

async function restoreFrom(
  host: Host,
  paths: NodePaths,
  options: RestoreOptions & { readonly from: string },
): Promise<number> {
  const { root, plan, yes } = options;
  const named = () => requiredStore(options, 'restore');
  const free = async (path: string) => (await diskOf(path)).available;
  const copy = await copyToRestore(host, paths, options, { named, tell, free });
  const begun = await restoreOf(host, paths, copy);
  const steps = restoreSteps(paths, copy, begun);
  for (const line of restorePlan(host, copy, steps)) {
    tell.out(line);
  }
  if (plan) {
    tell.out('Nothing was changed.');
    return 2;
  }
  if (!yes && !(await isAgreed('restore', 'replaces the datastore', 'restore this copy'))) {
    tell.error('Nothing was changed.');
    return 1;
  }
  const interrupted = abortedBySignals(longestStep);
  interrupted.addEventListener('abort', () => tell.error(interruption));
  const releaseSetup = await acquireLock(paths.slipway.setupLock, root);
  try {
    // The lock is taken only after the stop, because a running daemon holds it.
    if (!(await perform([steps.stop], host, tell))) {
      return 1;
    }
    const release = await acquireLock(paths.slipway.lock, root);
    try {
      return (await replaceDatastore(host, paths, steps, begun, { tell, interrupted })) ? 0 : 1;
    } finally {
      await release();
    }
  } finally {
    // Starts the daemon even after a failure: it then leaves K3s alone, and reports the unfinished restore.
    await daemonBack(host, paths);
    await releaseSetup();
  }
}

/** The longest time that the command continues after a signal, in milliseconds: it may be stopping K3s. */
const longestStep = 180_000;

const interruption =
  `Interrupted: the present step ends first, and then ${daemonUnit} is started again. If the command is killed ` +
  `before: systemctl start ${daemonUnit}`;
