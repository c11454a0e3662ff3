import type { HostReader } from '../../../engine/host.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { keptFiles } from './kept-files.ts';
import { asideExecutable, asidePath, type Restore, replacedPaths } from './restore-state.ts';

const unit = unitName('server');

/** Returns the paths at which a restore keeps what was there before. */
export async function keptAside(
  host: HostReader,
  paths: NodePaths,
  restore: Restore,
): Promise<readonly string[]> {
  const moved = await movedPaths(host, paths, restore);
  const changed = await keptFiles(host, paths, restore);
  return [...moved, ...changed].flatMap(({ aside }) => aside ?? []);
}

/** Returns the commands that put back what a restore has moved aside or changed. */
export async function wayBack(host: HostReader, paths: NodePaths, restore: Restore): Promise<string> {
  const moved = await movedPaths(host, paths, restore);
  const commands = [`systemctl stop slipway ${unit}`];
  commands.push(...moved.flatMap(({ path, aside }) => [`rm -rf ${path}`, `mv ${aside} ${path}`]));
  for (const { path, aside } of await keptFiles(host, paths, restore)) {
    commands.push(aside === undefined ? `rm -f ${path}` : `mv ${aside} ${path}`);
  }
  const enable = restore.isEnabled ? `systemctl enable ${unit}` : undefined;
  const executable = asideExecutable(paths, restore);
  if ((await host.stat(executable)) !== undefined) {
    const { binary, previous } = paths.k3s;
    commands.push(`mv ${binary} ${previous}`, `mv ${executable} ${binary}`);
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
