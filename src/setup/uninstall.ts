/** The command `slipway uninstall`, and the commands that k3s-killall.sh and k3s-uninstall.sh call. */

import type { Host } from '../agent/engine/host.ts';
import type { Resource } from '../agent/engine/resource.ts';
import { acquireLock } from '../agent/host/files/lock.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { print } from '../agent/host/process/print.ts';
import { k3sStopped, processesEndedId } from '../agent/parts/k3s/index.ts';
import { type NodePaths, nodePaths } from '../agent/paths.ts';
import { installedK3s, k3sLeftBehind, leftBehind } from './left-behind.ts';
import { requireOutsideContainers, requireOwnShell, requireRoot, tell } from './operator.ts';
import type { RemovalOptions, UninstallOptions } from './options.ts';
import { perform, rehearse } from './perform.ts';
import { daemonUnit } from './setup-paths.ts';
import { daemonStopped, k3sUninstallSteps, uninstallSteps } from './uninstall-steps.ts';

/**
 * Removes Slipway and, if requested, K3s, NAT, settings and state; a dry run only prints the plan. Resolves to 1 if
 * anything requested was not removed, otherwise to 0.
 */
export async function uninstall({ root, purge, k3s, nat, dryRun }: UninstallOptions): Promise<number> {
  const host = nodeHost({ root });
  const paths = nodePaths(root);
  const keepsK3s = !k3s && (await installedK3s(host, paths)) !== undefined;
  const extent = { k3s, purge, keepsK3s, nat };
  const steps = uninstallSteps(paths, extent);
  return takeDown('uninstall', host, paths, {
    dryRun,
    stop: daemonStopped(paths, true),
    steps,
    notes: () => leftBehind(host, paths, extent),
  });
}

/** Stops Slipway, and K3s with all its processes; keeps units and data. */
export async function killK3s({ root, dryRun }: RemovalOptions): Promise<number> {
  const paths = nodePaths(root);
  return takeDown('k3s-killall', nodeHost({ root }), paths, {
    dryRun,
    stop: daemonStopped(paths, false),
    steps: k3sStopped(paths, false),
    notes: async () => [
      `K3s is stopped with everything it ran, and so is Slipway, which would start it again. To start both: systemctl start ${daemonUnit}`,
    ],
  });
}

/**
 * Removes K3s with its data. Keeps Slipway, but stops and disables the daemon, which would otherwise install K3s again.
 */
export async function uninstallK3s({ root, dryRun }: RemovalOptions): Promise<number> {
  const host = nodeHost({ root });
  const paths = nodePaths(root);
  return takeDown('k3s-uninstall', host, paths, {
    dryRun,
    stop: daemonStopped(paths, true),
    steps: k3sUninstallSteps(paths),
    notes: async () => [
      ...(await k3sLeftBehind(host, paths)),
      `K3s is gone. Slipway is still there, stopped and disabled, since it would install K3s again: systemctl enable --now ${daemonUnit}`,
      'To remove Slipway too: slipway uninstall',
    ],
  });
}

interface TakeDown {
  readonly dryRun: boolean;
  readonly stop: Resource;
  readonly steps: readonly Resource[];
  /** Returns the lines to print if everything succeeded. */
  readonly notes: () => Promise<readonly string[]>;
}

async function takeDown(
  command: string,
  host: Host,
  paths: NodePaths,
  { dryRun, stop, steps, notes }: TakeDown,
): Promise<number> {
  if (dryRun) {
    print(await rehearse([stop, ...steps], host));
    return 0;
  }
  requireRoot(command, paths.root);
  await requireOwnShell(host);
  if (steps.some(({ id }) => id === processesEndedId)) {
    await requireOutsideContainers(host, paths);
  }
  const releaseSetup = await acquireLock(paths.slipway.setupLock, paths.root);
  try {
    // The lock is taken only after the stop, because a running daemon holds it.
    if (!(await perform([stop], host, tell))) {
      return 1;
    }
    const release = await acquireLock(paths.slipway.lock, paths.root);
    try {
      if (!(await perform(steps, host, tell))) {
        return 1;
      }
    } finally {
      await release();
    }
    for (const line of await notes()) {
      tell.out(line);
    }
    return 0;
  } finally {
    await releaseSetup();
  }
}
