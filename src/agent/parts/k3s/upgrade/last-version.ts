import type { Host, HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';

/**
 * Notes, in the data of K3s, the release that is about to start; writes nothing if it is unknown or already noted.
 *
 * The note names the release to restore if a lost or damaged executable cannot name it any more.
 */
export async function noteVersion(host: Host, paths: NodePaths, version: string | undefined): Promise<void> {
  if (version === undefined || version === (await lastVersion(host, paths))) {
    return;
  }
  await host.writeFile(paths.k3s.lastVersion, `${version}\n`, { mode: 0o644 });
}

/** Returns the release of the last start of K3s; `undefined` if none was noted yet. */
export async function lastVersion(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  return (await host.readFile(k3s.lastVersion))?.content.trim() || undefined;
}
