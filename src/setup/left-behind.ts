import { join } from 'node:path';
import type { HostReader } from '../agent/engine/host.ts';
import { enginePrograms, engineRemains } from '../agent/gitops/chosen.ts';
import { k3sUnits, movedAside } from '../agent/parts/k3s/index.ts';
import { guardTable } from '../agent/parts/network/index.ts';
import { workloadNotes } from '../agent/parts/workloads/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { showUnits } from '../agent/resources/unit.ts';
import { isActive } from '../agent/resources/units-stopped.ts';
import { natNotes } from './nat-gone.ts';
import { packagedUnit } from './setup-paths.ts';
import { type Extent, neededByK3s } from './uninstall-steps.ts';

/**
 * Returns the unit of the K3s that is installed or still runs after its unit file was removed; `undefined` without K3s.
 * Below another root, looks only for the unit file.
 */
export async function installedK3s(host: HostReader, paths: NodePaths): Promise<string | undefined> {
  const stats = await Promise.all(k3sUnits.map((unit) => host.stat(join(paths.system.units, unit))));
  const installed = k3sUnits.find((_, at) => stats[at] !== undefined);
  if (installed !== undefined || paths.root !== '/') {
    return installed;
  }
  const shown = await showUnits(host, k3sUnits, ['ActiveState'], paths.root);
  return k3sUnits.find((_, at) => shown[at] !== undefined && isActive(shown[at]));
}

/** Returns the lines about what an uninstall leaves on purpose, with commands that remove it later. */
export async function leftBehind(
  host: HostReader,
  paths: NodePaths,
  extent: Extent,
): Promise<readonly string[]> {
  const unit = await packagedUnit(host, paths);
  const packaged = unit === undefined ? [] : [`${unit} is of the slipway package: apt-get remove slipway`];
  const kept = await existingPaths(host, [
    ...(extent.purge ? [] : [join(paths.root, 'etc/slipway'), paths.slipway.state]),
    ...enginePrograms().map((name) => join(paths.system.bin, name)),
    ...(extent.keepsK3s ? [nodePassword(paths)] : k3sPlaces(paths)),
  ]);
  const notes = extent.keepsK3s ? await k3sNotes(host, paths) : [];
  const nat = extent.nat ? [] : await natNotes(host, paths);
  return [...notes, ...nat, ...stillThere(kept), ...(await asideNotes(host, paths)), ...packaged];
}

/** Returns the lines about the files that an uninstall of K3s alone leaves on purpose. */
export async function k3sLeftBehind(host: HostReader, paths: NodePaths): Promise<readonly string[]> {
  const places = [...k3sPlaces(paths), paths.slipway.backup];
  return [...stillThere(await existingPaths(host, places)), ...(await asideNotes(host, paths))];
}

function k3sPlaces(paths: NodePaths): readonly string[] {
  return [nodePassword(paths), join(paths.root, 'var/log/pods')];
}

function nodePassword({ root }: NodePaths): string {
  return join(root, 'etc/rancher/node');
}

async function asideNotes(host: HostReader, paths: NodePaths): Promise<readonly string[]> {
  const aside = await movedAside(host, paths);
  if (aside.length === 0) {
    return [];
  }
  return [`K3s' data of an older role, with its keys and tokens, is still there: rm -r ${aside.join(' ')}`];
}

function stillThere(paths: readonly string[]): readonly string[] {
  return paths.length === 0 ? [] : [`still there: ${paths.join(' ')}`];
}

async function k3sNotes(host: HostReader, paths: NodePaths): Promise<readonly string[]> {
  const [unit, needed] = [await installedK3s(host, paths), await existingPaths(host, neededByK3s(paths))];
  const guarded = needed.includes(paths.slipway.imdsGuard);
  return [
    `K3s stays, and needs what stays with it: ${needed.join(' ') || 'nothing of Slipway'}`,
    ...(guarded
      ? [
          `pods are kept from the metadata service by ${guardTable.unit}, which stays too; to take that down: systemctl disable --now ${guardTable.unit}; nft delete table ${guardTable.name.join(' ')}`,
        ]
      : []),
    `registry logins in ${paths.k3s.registries} are no longer renewed, and work for three hours at most`,
    `kubelet asks Slipway for logins, in vain, until K3s is restarted: systemctl restart ${unit}`,
    ...(await workloadNotes(host, paths)),
    ...(await engineRemains(host, paths.k3s.kubeconfig)),
    'to remove K3s later, install Slipway again, and then: slipway uninstall --k3s',
  ];
}

async function existingPaths(host: HostReader, paths: readonly string[]): Promise<readonly string[]> {
  const stats = await Promise.all(paths.map((path) => host.stat(path)));
  return paths.filter((_, at) => stats[at] !== undefined);
}
