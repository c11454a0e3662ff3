import type { HostReader } from '../../../engine/host.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { asideExecutable, asidePath, type Restore, replacedPaths } from './restore-state.ts';

const unit = unitName('server');

/** Returns the paths to which a restore has moved what was there before. */
export async function keptAside(
  host: HostReader,
  paths: NodePaths,
  restore: Restore,
): Promise<readonly string[]> {
  return (await movedPaths(host, paths, restore)).map(({ aside }) => aside);
}

/** Returns the commands that put back what a restore has moved aside. */
export async function wayBack(host: HostReader, paths: NodePaths, restore: Restore): Promise<string> {
  const moved = await movedPaths(host, paths, restore);
  const commands = [`systemctl stop slipway ${unit}`];
  commands.push(...moved.flatMap(({ path, aside }) => [`rm -rf ${path}`, `mv ${aside} ${path}`]));
  const enable = restore.isEnabled ? `systemctl enable ${unit}` : undefined;
  const executable = asideExecutable(paths, restore);
  if ((await host.stat(executable)) !== undefined) {
    commands.push(`mv ${executable} ${paths.k3s.binary}`);
  }
  return [...commands, `rm ${paths.slipway.restore}`, enable, `systemctl start ${unit} slipway`]
    .filter((command) => command !== undefined)
    .join('; ');
}

async function movedPaths(host: HostReader, paths: NodePaths, restore: Restore) {
  const all = replacedPaths(paths, restore).map((path) => ({ path, aside: asidePath(path, restore) }));
  const stats = await Promise.all(all.map(({ aside }) => host.stat(aside)));
  return all.filter((_, at) => stats[at] !== undefined);
}
