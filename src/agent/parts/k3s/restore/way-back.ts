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
  const kept: string[] = [];
  for (const path of replacedPaths(paths, restore)) {
    const aside = asidePath(path, restore);
    kept.push(...((await host.stat(aside)) === undefined ? [] : [aside]));
  }
  return kept;
}

/** Returns the commands that put back what a restore has moved aside. */
export async function wayBack(host: HostReader, paths: NodePaths, restore: Restore): Promise<string> {
  const commands = [`systemctl stop slipway ${unit}`];
  for (const path of replacedPaths(paths, restore)) {
    const aside = asidePath(path, restore);
    if ((await host.stat(aside)) !== undefined) {
      commands.push(`rm -rf ${path}`, `mv ${aside} ${path}`);
    }
  }
  const enable = restore.isEnabled ? `systemctl enable ${unit}` : undefined;
  const executable = asideExecutable(paths, restore);
  if ((await host.stat(executable)) !== undefined) {
    commands.push(`mv ${executable} ${paths.k3s.binary}`);
  }
  return [...commands, `rm ${paths.slipway.restore}`, enable, `systemctl start ${unit} slipway`]
    .filter((command) => command !== undefined)
    .join('; ');
}
