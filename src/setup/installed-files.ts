/**
 * The files that `slipway install` installs: assets of the executable, or files of the repository when Slipway runs
 * from its sources.
 */
import { readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** The path of each file in the repository, which is also the name of the asset. */
const names = {
  daemon: 'systemd/slipway.service',
  directories: 'systemd/slipway-directories.service',
  tmpfiles: 'systemd/slipway.tmpfiles.conf',
  example: 'packaging/deb/config.yaml',
} as const;

/** The assets that the single executable must have, by their path in the repository. */
export const assetNames: readonly string[] = Object.values(names);

/** The text of each installed file. */
export type InstalledFiles = Readonly<Record<keyof typeof names, string>>;

export function installedFiles(): InstalledFiles {
  const { daemon, directories, tmpfiles, example } = names;
  return {
    daemon: readAsset(daemon),
    directories: readAsset(directories),
    tmpfiles: readAsset(tmpfiles),
    example: readAsset(example),
  };
}

function readAsset(name: string): string {
  if (isSea()) {
    return getAsset(name, 'utf8');
  }
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}
