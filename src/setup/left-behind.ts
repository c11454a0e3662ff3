import { join } from 'node:path';
import type { HostReader } from '../agent/core/host.ts';
import { guardUnit } from '../agent/imds/unit.ts';
import { k3sUnits } from '../agent/k3s/teardown/teardown.ts';
import type { NodePaths } from '../agent/paths.ts';
import { packagedUnit } from './places.ts';
import { type Extent, neededByK3s } from './uninstall-steps.ts';

/** The unit of the K3s that is installed here; `undefined` where there is none. */
export async function installedK3s(host: HostReader, { system }: NodePaths): Promise<string | undefined> {
  const stats = await Promise.all(k3sUnits.map((unit) => host.stat(join(system.units, unit))));
  return k3sUnits.find((_, at) => stats[at] !== undefined);
}

/** What an uninstall left on purpose, and what a person has to do about it, a line each. */
export async function leftBehind(
  host: HostReader,
  paths: NodePaths,
  extent: Extent,
): Promise<readonly string[]> {
  const unit = await packagedUnit(host, paths);
  const packaged = unit === undefined ? [] : [`${unit} is of the slipway package: apt-get remove slipway`];
  const kept = await existing(host, [
    ...(extent.purge ? [] : [join(paths.root, 'etc/slipway'), paths.slipway.state]),
    join(paths.system.bin, 'flux'),
    join(paths.root, 'etc/rancher/node'),
  ]);
  const left = kept.length === 0 ? [] : [`still there: ${kept.join(' ')}`];
  return [...(extent.keepsK3s ? await k3sNotes(host, paths) : []), ...left, ...packaged];
}

async function k3sNotes(host: HostReader, paths: NodePaths): Promise<readonly string[]> {
  const [unit, needed] = [await installedK3s(host, paths), await existing(host, neededByK3s(paths))];
  const guarded = needed.includes(paths.slipway.imdsGuard);
  return [
    `K3s stays, and needs what stays with it: ${needed.join(' ') || 'nothing of Slipway'}`,
    ...(guarded ? [`pods are kept from the metadata service by ${guardUnit}, which stays too`] : []),
    `registry logins in ${paths.k3s.registries} are no longer renewed, and work for three hours at most`,
    `kubelet asks Slipway for logins, in vain, until K3s is restarted: systemctl restart ${unit}`,
  ];
}

async function existing(host: HostReader, paths: readonly string[]): Promise<readonly string[]> {
  const stats = await Promise.all(paths.map((path) => host.stat(path)));
  return paths.filter((_, at) => stats[at] !== undefined);
}
