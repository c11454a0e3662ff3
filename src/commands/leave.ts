/** The command `slipway leave`: takes this agent out of the cluster. */
import type { Host } from '../agent/engine/host.ts';
import { acquireLock } from '../agent/host/files/lock.ts';
import { outliveOutput } from '../agent/host/process/print.ts';
import { abortedBySignals } from '../agent/host/process/signals.ts';
import { faultIn } from '../agent/knowledge.ts';
import type { K3sNode } from '../agent/node.ts';
import { leaveCluster, requireAgent } from '../setup/leave.ts';
import { requireOutsideContainers, requireOwnShell, requireRoot, tell } from '../setup/operator.ts';
import { perform } from '../setup/perform.ts';
import { daemonBack } from '../setup/restore.ts';
import { daemonStopped } from '../setup/uninstall-steps.ts';
import { isAgreed } from './agree.ts';
import type { LeaveOptions } from './cli-nodes.ts';
import { compose } from './compose.ts';

/**
 * Evicts the pods of this agent, and stops K3s and Slipway for good. Asks first, unless `yes` is true. Resolves to 0
 * if that is done, and to 1 if the node stays in the cluster, as after a signal such as that of Ctrl-C. Throws
 * `NodeKept` on a server, and `InvalidSettings` if it has no terminal to ask on.
 */
export async function leave(options: LeaveOptions): Promise<number> {
  outliveOutput();
  const { host, paths, gather } = await compose(options);
  requireRoot('leave', paths.root);
  await requireOwnShell(host);
  await requireOutsideContainers(host, paths);
  const knowledge = await gather();
  const node = knowledge.node.value;
  if (node === undefined) {
    throw faultIn(knowledge) ?? knowledge.identity.error;
  }
  await requireAgent(host, node);
  tell.out(
    `${node.name} will evict its pods, and stop K3s and Slipway for good. Its data stays on the disk.`,
  );
  if (!options.yes && !(await isAgreed('leave', 'takes this node out of the cluster', 'leave'))) {
    tell.error('Nothing was changed.');
    return 1;
  }
  const interrupted = abortedBySignals(longestUndo);
  return withoutDaemon(host, node, () => leaveCluster(host, node, tell, interrupted));
}

/** The longest time that the command continues after a signal, in milliseconds: it may be stopping K3s. */
const longestUndo = 180_000;

/** Stops the daemon before the work, because the daemon would undo the cordon. Starts the daemon if the work fails. */
async function withoutDaemon(host: Host, { paths }: K3sNode, work: () => Promise<boolean>): Promise<number> {
  const releaseSetup = await acquireLock(paths.slipway.setupLock, paths.root);
  try {
    if (!(await perform([daemonStopped(paths, false)], host, tell))) {
      return 1;
    }
    const release = await acquireLock(paths.slipway.lock, paths.root);
    try {
      return (await work()) ? 0 : 1;
    } finally {
      await release();
    }
  } finally {
    // After a success, the daemon is disabled, and stays stopped.
    await daemonBack(host, paths);
    await releaseSetup();
  }
}
