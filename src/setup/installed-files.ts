/** The files that come with the executable: its assets, or files of the repository when it runs from its sources. */
import { readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** By path in the repository, which is the name of the asset. */
const names = {
  daemon: 'systemd/slipway.service',
  directories: 'systemd/slipway-directories.service',
  tmpfiles: 'systemd/slipway.tmpfiles.conf',
  example: 'packaging/deb/config.yaml',
} as const;

/** The assets that the single executable must have, by path in the repository. */
export const assetNames: readonly string[] = Object.values(names);

/** The text of each file that `slipway install` installs. */
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
