import type { Host, HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';

/**
 * Notes, in K3s' own data, the release that K3s starts as; an unknown one changes nothing.
 *
 * A lost or damaged executable cannot name its release any more, and no other release must replace it unasked.
 */
export async function noteVersion(host: Host, paths: NodePaths, version: string | undefined): Promise<void> {
  if (version === undefined || version === (await lastVersion(host, paths))) {
    return;
  }
  await host.writeFile(paths.k3s.lastVersion, `${version}\n`, { mode: 0o644 });
}

/** Returns the release that K3s last started as; `undefined` before the first note. */
export async function lastVersion(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  return (await host.readFile(k3s.lastVersion))?.content.trim() || undefined;
}
