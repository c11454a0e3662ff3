/** The files that come with the executable: assets of it, or those of the repository where it runs from its sources. */
import { readFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';

/** By their places in the repository, which are the names of the assets. */
const names = {
  daemon: 'systemd/slipway.service',
  directories: 'systemd/slipway-directories.service',
  tmpfiles: 'systemd/slipway.tmpfiles.conf',
  example: 'packaging/deb/config.yaml',
} as const;

/** What the single executable has to have among its assets, each by its path in the repository. */
export const assetNames: readonly string[] = Object.values(names);

/** The text of each file that `slipway install` puts in place. */
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
  if (isSea()) return getAsset(name, 'utf8');
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}
