import { basename, dirname, join } from 'node:path';
import type { HostReader } from '../../../engine/host.ts';
import type { Resource } from '../../../engine/resource.ts';
import type { NodePaths } from '../../../paths.ts';
import { noneOf, removing } from '../../../resources/removed.ts';
import { nothingMountedIn } from './mounts.ts';

/**
 * Returns the paths of K3s data that role changes moved aside (role-change.ts). The data contains CA keys and tokens.
 */
export async function movedAside(host: HostReader, { k3s }: NodePaths): Promise<readonly string[]> {
  const folder = dirname(k3s.data);
  const aside = new RegExp(`^${basename(k3s.data)}\\.(server|agent)-\\d{8}T\\d{6}Z$`);
  return (await host.list(folder)).filter((name) => aside.test(name)).map((name) => join(folder, name));
}

/**
 * Deletes the K3s data that earlier role changes moved aside. Throws `FileSystemError`, and deletes nothing, if
 * something is mounted in the data.
 */
export function movedAsideGone(paths: NodePaths, needs: readonly string[]): Resource {
  return {
    id: 'Removed/k3s-moved-aside',
    summary: "remove K3s' data of older roles",
    condition: 'K3sBinary',
    needs,
    async check(host) {
      const found = await movedAside(host, paths);
      for (const path of found) {
        await nothingMountedIn(host, path, paths.root);
      }
      const summary = `remove K3s' data of older roles: ${found.join(' ')}`;
      return noneOf(found, { summary, remedy: removing(found) });
    },
  };
}
