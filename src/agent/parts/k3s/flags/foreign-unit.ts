import { join } from 'node:path';
import type { Role } from '../../../../roles/role.ts';
import type { HostReader } from '../../../engine/host.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { readableText } from '../../../resources/file-text.ts';

/** The first words of each unit and each configuration file that Slipway writes. */
export const ours = '# Written by Slipway';

/** The folders in which systemd looks for a unit, in order of precedence (systemd.unit(5)). */
export const unitFolders = [
  'etc/systemd/system',
  'run/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
];

/** Returns the unit of K3s if another program wrote it; `undefined` if Slipway wrote it, or if the unit is missing. */
export async function foreignUnit(
  host: HostReader,
  { kind, paths }: { readonly kind: Role['k3s']; readonly paths: NodePaths },
): Promise<{ readonly path: string; readonly text: string } | undefined> {
  for (const folder of unitFolders) {
    const path = join(paths.root, folder, unitName(kind));
    const text = await readableText(host, path);
    if (text.trim() !== '') {
      return text.startsWith(ours) ? undefined : { path, text };
    }
  }
  return undefined;
}
