import type { Host, HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';

/**
 * Records, in the data of K3s, the release that is about to start; writes nothing if it is unknown or already recorded.
 * If the executable is later lost or damaged, the record shows which release to restore.
 */
export async function noteVersion(host: Host, paths: NodePaths, version: string | undefined): Promise<void> {
  if (version === undefined || version === (await lastVersion(host, paths))) {
    return;
  }
  await host.writeFile(paths.k3s.lastVersion, `${version}\n`, { mode: 0o644 });
}

/** Returns the release that was recorded at the last start of K3s; `undefined` if none was recorded yet. */
export async function lastVersion(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  return (await host.readFile(k3s.lastVersion))?.content.trim() || undefined;
}
