/** The command `slipway restore`: replaces the datastore of a server with a copy, or goes on with its own etcd. */
import { NodeError } from '../agent/engine/errors.ts';
import { diskOf } from '../agent/host/files/free-space.ts';
import { acquireLock } from '../agent/host/files/lock.ts';
import { outliveOutput } from '../agent/host/process/print.ts';
import { abortedBySignals } from '../agent/host/process/signals.ts';
import {
  type FreshServer,
  judgeOwnEtcd,
  ownEtcd,
  placedRestore,
  requireNeverServed,
  requireOthersOff,
  restoreOf,
} from '../agent/parts/k3s/index.ts';
import { requireOwnShell, requireRoot, tell } from '../setup/operator.ts';
import { perform } from '../setup/perform.ts';
import { daemonBack, longestStep, replaceDatastore } from '../setup/restore.ts';
import { continuedPlan, restorePlan, restoreSteps } from '../setup/restore-steps.ts';
import { daemonUnit } from '../setup/setup-paths.ts';
import { isAgreed } from './agree.ts';
import { requireStore } from './backup-store.ts';
import type { RestoreOptions } from './cli-backup.ts';
import { type RestoreGround, restoreGround } from './restore-ground.ts';
import { copyToRestore, forgetFetched, listRestorable } from './restore-source.ts';

/**
 * Fetches a backup that has an id instead of a path, prints what a restore will do, asks unless `yes` is true, and
 * restores. With `reset`, goes on with the own etcd of this server. Without both, prints what could be restored.
 * Resolves to 0 after that, and after the restore; to 2 with `plan`; and to 1 if a person declined, a step failed, or a
 * signal such as that of Ctrl-C interrupted it.
 *
 * Throws `RestoreRefused`, `RestoreFailed`, and `InvalidSettings` if there is no terminal to ask on, or no store.
 */
export async function restore(options: RestoreOptions): Promise<number> {
  const { root, from, reset, plan } = options;
  outliveOutput();
  if (from === undefined && !reset) {
    requireRoot('restore', root, { does: 'reads what only root may read' });
    const { host, paths, store } = await restoreGround(options);
    await listRestorable(host, paths, { named: async () => store, tell });
    return 0;
  }
  if (!plan) {
    requireRoot('restore', root);
  }
  const ground = await restoreGround(options);
  const { host, paths } = ground;
  if (!plan) {
    await requireOwnShell(host);
  }
  try {
    return await restoreFrom(ground, { ...options, from: from ?? ownEtcd(paths) });
  } finally {
    if (!plan) {
      await forgetFetched(host, paths);
    }
  }
}

async function restoreFrom(
  { host, paths, store, servers, fresh }: RestoreGround,
  options: RestoreOptions & { readonly from: string },
): Promise<number> {
  const { root, plan, yes } = options;
  const named = async () => requireStore(store, 'restore');
  if (!plan) {
    await requireOthersOff(host, paths, servers);
  }
  const free = async (path: string) => (await diskOf(path)).available;
  if (fresh !== undefined && !options.reset) {
    await requireNeverServed(host, paths);
  }
  const look = async (first?: FreshServer) => {
    const placed = await placedRestore(host, paths, options.from);
    if (placed !== undefined) {
      const steps = restoreSteps(paths, undefined, placed, servers);
      return { begun: placed, steps, planned: continuedPlan(placed, steps) };
    }
    const copy = options.reset
      ? await judgeOwnEtcd(host, paths)
      : await copyToRestore(host, paths, options, { named, tell, free, fresh: first });
    const begun = await restoreOf(host, paths, copy, servers.members);
    const steps = restoreSteps(paths, copy, begun, servers);
    return { begun, steps, planned: restorePlan(host, copy, steps) };
  };
  const { begun, steps, planned } = await look(fresh);
  for (const line of planned) {
    tell.out(line);
  }
  if (plan) {
    await requireOthersOff(host, paths, servers).catch(tellRefusal);
    tell.out('Nothing was changed.');
    return 2;
  }
  const [does, question] = options.reset
    ? ['makes a cluster of this server alone', 'go on with this server alone']
    : ['replaces the datastore', 'restore this copy'];
  if (!yes && !(await isAgreed('restore', does, question))) {
    tell.error('Nothing was changed.');
    return 1;
  }
  const interrupted = abortedBySignals(longestStep(begun.datastore));
  interrupted.addEventListener('abort', () => tell.error(interruption));
  const releaseSetup = await acquireLock(paths.slipway.setupLock, root);
  try {
    // The lock is taken only after the stop, because a running daemon holds it.
    if (!(await perform([steps.stop], host, tell))) {
      return 1;
    }
    const release = await acquireLock(paths.slipway.lock, root);
    try {
      if (fresh !== undefined && !(await fresh.prepare(tell))) {
        return 1;
      }
      // What was installed may not suit the copy, such as another token: only now everything is known.
      const { begun, steps } = await look();
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

/** Prints the refusal that a restore would meet now; throws any other error. */
function tellRefusal(thrown: unknown): void {
  if (!(thrown instanceof NodeError && thrown.reason === 'RestoreRefused')) {
    throw thrown;
  }
  tell.error(`It would be refused now: ${thrown.message}`);
}

const interruption =
  `Interrupted: the present step ends first, and then ${daemonUnit} is started again. If the command is killed ` +
  `before: systemctl start ${daemonUnit}`;
