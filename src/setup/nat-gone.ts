import { join } from 'node:path';
import type { HostReader } from '../agent/engine/host.ts';
import type { Resource } from '../agent/engine/resource.ts';
import { natFiles, natRemoved, natTable, natUnitPath } from '../agent/parts/network/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { noneOf, removed, removing } from '../agent/resources/removed.ts';

/**
 * Removes NAT for private hosts. Below another root, removes only the files of NAT, since the rules belong to the
 * machine itself.
 */
export function natGone(paths: NodePaths, needs: readonly string[]): readonly Resource[] {
  if (paths.root === '/') {
    return [{ ...natRemoved(paths), needs }];
  }
  return [natUnitPath(paths), ...natFiles(paths)].map((path) =>
    removed({ path, condition: 'System', needs }),
  );
}

/** Removes the folder of the settings; with `keepsNat`, the file with the rules of NAT stays. */
export function settingsGone(paths: NodePaths, keepsNat: boolean, needs: readonly string[]): Resource {
  const folder = join(paths.root, 'etc/slipway');
  if (!keepsNat) {
    return removed({ path: folder, condition: 'System', needs });
  }
  return {
    id: `Removed/${folder}`,
    summary: `remove ${folder}`,
    condition: 'System',
    needs,
    async check(host) {
      const surplus = await surplusIn(host, folder, paths.slipway.nat);
      return noneOf(surplus, { summary: `remove ${surplus.join(' ')}`, remedy: removing(surplus) });
    },
  };
}

/**
 * Returns everything in the folder except `kept`; the folder itself if `kept` does not exist; nothing if the folder
 * does not exist.
 */
async function surplusIn(host: HostReader, folder: string, kept: string): Promise<readonly string[]> {
  if ((await host.stat(folder)) === undefined) {
    return [];
  }
  const inside = (await host.list(folder)).map((name) => join(folder, name));
  return inside.includes(kept) ? inside.filter((path) => path !== kept) : [folder];
}

/** Returns one line about the NAT that stays, with the commands that remove it; no line without NAT. */
export async function natNotes(host: HostReader, paths: NodePaths): Promise<readonly string[]> {
  const unitFile = natUnitPath(paths);
  const left = await existing(host, [unitFile, ...natFiles(paths)]);
  // Either of these two files may be lost while the rules are still in the kernel.
  if (![unitFile, paths.slipway.nat].some((path) => left.includes(path))) {
    return [];
  }
  const { unit, name } = natTable;
  return [
    `private hosts still reach the outside through this one by ${unit}, which stays; to take that down: systemctl disable ` +
      `--now ${unit}; nft delete table ${name.join(' ')}; rm ${left.join(' ')}`,
  ];
}

async function existing(host: HostReader, paths: readonly string[]): Promise<readonly string[]> {
  const stats = await Promise.all(paths.map((path) => host.stat(path)));
  return paths.filter((_, at) => stats[at] !== undefined);
}
