/** `slipway install`: makes this executable the service of its host. */
import { isSea } from 'node:sea';
import { NodeError } from '../agent/engine/errors.ts';
import type { HostReader } from '../agent/engine/host.ts';
import { acquireLock } from '../agent/host/files/lock.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { type NodePaths, nodePaths } from '../agent/paths.ts';
import { isBooted, showUnit } from '../agent/resources/unit.ts';
import { enablement, installSteps } from './install-steps.ts';
import { installedFiles } from './installed-files.ts';
import { requireRoot, tell } from './operator.ts';
import type { InstallOptions } from './options.ts';
import { perform } from './perform.ts';
import { daemonUnit, packagedUnit, setupPaths } from './setup-paths.ts';

/**
 * Installs Slipway without starting it, and prints the next steps. If the Debian package is installed, installs
 * nothing, and prints notes on earlier installs before the next steps. Resolves to 0 if everything is in place,
 * otherwise to 1.
 */
export async function install({ root }: InstallOptions): Promise<number> {
  requireRoot('install', root);
  const host = nodeHost({ root });
  const paths = nodePaths(root);
  // Takes setup's own lock, because the daemon may hold the main lock during an upgrade. Each file is replaced as a
  // whole, so a running daemon never sees half of a file.
  const release = await acquireLock(paths.slipway.setupLock, root);
  try {
    const packaged = await packagedUnit(host, paths);
    // With the package, no step is left: its scripts enable the units at the first installation.
    const steps = packaged === undefined ? ownSteps(paths) : [];
    const isDone = await perform(steps, host, tell);
    for (const line of packaged === undefined ? [] : await packageNotes(host, paths, packaged)) {
      tell.out(line);
    }
    if (isDone) {
      for (const line of await nextSteps(host, paths)) {
        tell.out(line);
      }
    }
    return isDone ? 0 : 1;
  } finally {
    await release();
  }
}

function ownSteps(paths: NodePaths) {
  if (!isSea()) {
    throw noExecutable();
  }
  return installSteps({ paths, self: process.execPath, files: installedFiles() });
}

function noExecutable(): NodeError {
  return new NodeError(
    'CommandNotFound',
    'slipway install puts the executable that runs it in place, and this one runs from its sources. Make one: npm run package.',
  );
}

/**
 * Returns a note that nothing was installed beside the package, and a note on files of an earlier install that override
 * the package and that an operator must remove.
 */
async function packageNotes(host: HostReader, paths: NodePaths, unit: string): Promise<readonly string[]> {
  const { executable, daemon, directories, tmpfiles } = setupPaths(paths);
  const places = [daemon, directories, tmpfiles, executable];
  const stats = await Promise.all(places.map((path) => host.stat(path)));
  const left = places.filter((_, at) => stats[at] !== undefined);
  const own = `${unit} belongs to the slipway package: nothing was installed beside it`;
  if (left.length === 0) {
    return [own];
  }
  return [own, `an earlier install shadows the package: rm ${left.join(' ')} && systemctl daemon-reload`];
}

async function nextSteps(host: HostReader, paths: NodePaths): Promise<readonly string[]> {
  const [, config = ''] = paths.slipway.configLayers;
  const settings = (await host.stat(config))
    ? []
    : [`settings go into ${config}; ${config}.example shows how`];
  const state = await enablement(host, paths);
  if (state !== 'enabled') {
    return [...settings, notEnabled(state)];
  }
  if (!(await isBooted(host, paths.root))) {
    return [...settings, 'Slipway is in place; it starts with the next boot'];
  }
  const { ActiveState } = await showUnit(host, daemonUnit, ['ActiveState']);
  const isRunning = ActiveState === 'active' || ActiveState === 'activating';
  return isRunning
    ? [
        ...settings,
        `Slipway is in place; the daemon that runs is the old one until: systemctl restart ${daemonUnit}`,
      ]
    : [...settings, `Slipway is in place; start it: systemctl start --no-block ${daemonUnit}`];
}

function notEnabled(state: string): string {
  return `${daemonUnit} is ${state || 'not enabled'}, and was left so; to have it start at boot: systemctl enable --now ${daemonUnit}`;
}
