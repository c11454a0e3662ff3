import { join } from 'node:path';
import type { HostReader } from '../agent/engine/host.ts';
import type { NodePaths } from '../agent/paths.ts';

/** The names of the units that `slipway install` writes. */
export const daemonUnit = 'slipway.service';
export const directoriesUnit = 'slipway-directories.service';

/** Returns the paths that `slipway install` writes to. */
export function setupPaths({ root, system }: NodePaths) {
  return {
    executable: join(system.bin, 'slipway'),
    daemon: join(system.units, daemonUnit),
    directories: join(system.units, directoriesUnit),
    tmpfiles: join(root, 'etc/tmpfiles.d/slipway.conf'),
    example: join(root, 'etc/slipway/config.yaml.example'),
  } as const;
}

/** Returns the path of the unit that Slipway's Debian package installed; `undefined` without the package. */
export async function packagedUnit(host: HostReader, { root }: NodePaths): Promise<string | undefined> {
  const places = ['usr/lib', 'lib'].map((lib) => join(root, lib, 'systemd/system', daemonUnit));
  const stats = await Promise.all(places.map((path) => host.stat(path)));
  return places.find((_, at) => stats[at] !== undefined);
}
