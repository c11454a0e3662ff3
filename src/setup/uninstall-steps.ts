import { join } from 'node:path';
import type { HostReader } from '../agent/engine/host.ts';
import { inSync, type Resource } from '../agent/engine/resource.ts';
import { agentTokenPath, k3sRemoved, movedAsideGone, scriptPaths } from '../agent/parts/k3s/index.ts';
import { guardUnitPath, imdsGuardRemoved } from '../agent/parts/network/index.ts';
import { noProvider, pluginName } from '../agent/parts/registry/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { observing, unless } from '../agent/resources/combinators.ts';
import { noneOf, removed, removing } from '../agent/resources/removed.ts';
import { unitsForgotten } from '../agent/resources/units-forgotten.ts';
import { unitsStopped } from '../agent/resources/units-stopped.ts';
import { natGone, settingsGone } from './nat-gone.ts';
import { daemonUnit, directoriesUnit, setupPaths } from './setup-paths.ts';

/** How much an uninstall removes. */
export interface Extent {
  /** True if K3s is removed. */
  readonly k3s: boolean;
  /** True if settings and state are removed. */
  readonly purge: boolean;
  /** True if K3s stays, and still needs some of Slipway's state. */
  readonly keepsK3s: boolean;
  /** True if NAT for private hosts is removed. */
  readonly nat?: boolean;
}

/** Stops the daemon, so that it does not restore what the next steps remove; with `forGood` also disables it. */
export function daemonStopped({ root }: NodePaths, forGood: boolean): Resource {
  return unitsStopped({
    id: 'Stopped/slipway',
    summary: `stop ${daemonUnit}${forGood ? ', and start it no more at boot' : ''}`,
    condition: 'System',
    units: [daemonUnit, directoriesUnit],
    root,
    forGood,
  });
}

/**
 * Returns the steps of an uninstall, in order:
 *
 * - The configuration of kubelet's credential provider, because K3s would not start with it after Slipway is gone.
 * - K3s, the guard of the metadata service and NAT, as far as `extent` includes them.
 * - Slipway's files and, with `purge`, the settings and the state.
 * - The executable, only if all other steps succeeded, so that `uninstall` can be run again.
 */
export function uninstallSteps(paths: NodePaths, extent: Extent): readonly Resource[] {
  const needs = extent.k3s ? k3sRemovedIds(paths) : [];
  const guard = extent.keepsK3s ? [] : guardGone(paths, needs);
  const nat = extent.nat ? natGone(paths, needs) : [];
  // State and settings are removed after the guard and NAT, because the rules files in them identify the guard and NAT.
  const settled = [...needs, ...[...guard, ...nat].map(({ id }) => id)];
  const steps = [
    ...(extent.k3s ? k3sUninstallSteps(paths) : [noProvider(paths)]),
    ...guard,
    ...nat,
    ...ownFiles(paths, extent, needs),
    ...(extent.purge ? purgeSteps(paths, extent, settled) : []),
  ];
  const { executable } = setupPaths(paths);
  return [...steps, removed({ path: executable, condition: 'System', needs: steps.map(({ id }) => id) })];
}

/** Removes K3s with all its data, and keeps Slipway. */
export function k3sUninstallSteps(paths: NodePaths): readonly Resource[] {
  return [noProvider(paths), ...k3sRemoved(paths), pluginGone(paths, k3sRemovedIds(paths))];
}

/**
 * Returns the ids of the steps that remove K3s. Files that K3s needs are removed only after all of these steps
 * succeeded.
 */
function k3sRemovedIds(paths: NodePaths): readonly string[] {
  return k3sRemoved(paths).map(({ id }) => id);
}

/**
 * Returns the paths of the tokens that K3s reads at each start, and of the rules that keep its pods from the metadata
 * service.
 */
export function neededByK3s(paths: NodePaths): readonly string[] {
  return [paths.slipway.joinToken, agentTokenPath(paths), paths.slipway.imdsGuard];
}

/**
 * Removes Slipway's units, tmpfiles configuration, example settings and downloads, and makes systemd forget the units.
 * Also removes the scripts that stop and remove K3s, unless `k3s` is true: then other steps remove the scripts.
 */
function ownFiles(paths: NodePaths, { k3s }: Extent, needs: readonly string[]): readonly Resource[] {
  const { daemon, directories, tmpfiles, example } = setupPaths(paths);
  const wanted = join(paths.system.units, 'multi-user.target.wants', daemonUnit);
  const files = [
    wanted,
    daemon,
    directories,
    tmpfiles,
    example,
    paths.slipway.hold,
    paths.slipway.backupRequest,
    ...(k3s ? [] : scriptPaths(paths)),
  ];
  const units = [daemonUnit, directoriesUnit];
  return [
    ...files.map((path) => removed({ path, condition: 'System', needs })),
    downloadsGone(paths, needs),
    unitsForgotten({ id: 'Forgotten/slipway', condition: 'System', units, root: paths.root, needs }),
  ];
}

/**
 * Removes the downloads that the daemon has not installed, the notes on them, and the executables that a restore has
 * replaced.
 */
function downloadsGone({ system }: NodePaths, needs: readonly string[]): Resource {
  return {
    id: 'Removed/downloads',
    summary: `remove unfinished downloads from ${system.bin}`,
    condition: 'System',
    needs,
    async check(host) {
      const names = (await host.list(system.bin)).filter((name) =>
        /^\..+\.slipway-part(\.\w+)?$|^\.k3s\.before-restore-\d{8}T\d{6}Z$/.test(name),
      );
      const parts = names.map((name) => join(system.bin, name));
      return noneOf(parts, { summary: `remove ${parts.join(' ')}`, remedy: removing(parts) });
    },
  };
}

/**
 * Removes the guard of the metadata service. Below another root, removes only its files, since the rules belong to the
 * machine itself.
 */
function guardGone(paths: NodePaths, needs: readonly string[]): readonly Resource[] {
  if (paths.root === '/') {
    return [{ ...imdsGuardRemoved(paths), needs }];
  }
  return [guardUnitPath(paths), paths.slipway.imdsGuard].map((path) =>
    removed({ path, condition: 'ImdsGuard', needs }),
  );
}

/**
 * Removes settings, state and /run/slipway, except what a remaining K3s or NAT needs. With `k3s`, also removes the K3s
 * data of older roles.
 */
function purgeSteps(
  paths: NodePaths,
  { keepsK3s, k3s, nat = false }: Extent,
  needs: readonly string[],
): readonly Resource[] {
  const memory = removed({ path: join(paths.root, 'run/slipway'), condition: 'System', needs });
  const state = keepsK3s
    ? [stateGoneBut(paths)]
    : [removed({ path: paths.slipway.state, condition: 'System', needs })];
  const aside = k3s ? [movedAsideGone(paths, needs)] : [];
  return [...aside, ...state, settingsGone(paths, !nat, needs), memory];
}

function stateGoneBut(paths: NodePaths): Resource {
  const { state } = paths.slipway;
  return {
    id: `Removed/${state}`,
    summary: `remove from ${state} what K3s does not need`,
    condition: 'System',
    async check(host) {
      const there = (await host.list(state)).map((name) => join(state, name));
      const surplus = there.filter((path) => !neededByK3s(paths).includes(path));
      return noneOf(surplus, { summary: `remove ${surplus.join(' ')}`, remedy: removing(surplus) });
    },
  };
}

/**
 * Removes the script that kubelet runs, with its folders if they contain nothing else. Keeps the script while a
 * configuration of credential providers exists: it may belong to another program, and K3s would not start without a
 * script that the configuration names.
 */
function pluginGone(paths: NodePaths, needs: readonly string[]): Resource {
  const plugin = join(paths.k3s.credentialProviderBin, pluginName);
  const folder = join(paths.root, 'var/lib/rancher/credentialprovider');
  const gone = observing(
    (path) => removed({ path, condition: 'CredentialProvider', needs }),
    plugin,
    async (host) => ((await isAlone(host, paths)) ? folder : plugin),
  );
  return unless(gone, async (host) =>
    (await host.stat(paths.k3s.credentialProvider)) === undefined ? undefined : inSync(),
  );
}

/** True if the folder of plugins contains only our plugin, and its parent contains only that folder. */
async function isAlone(host: HostReader, { root, k3s }: NodePaths): Promise<boolean> {
  const plugins = await host.list(k3s.credentialProviderBin);
  const beside = await host.list(join(root, 'var/lib/rancher/credentialprovider'));
  return plugins.every((name) => name === pluginName) && beside.every((name) => name === 'bin');
}
