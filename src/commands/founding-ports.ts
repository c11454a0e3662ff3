import type { Cloud } from '../agent/clouds/cloud.ts';
import type { FoundingPorts } from '../agent/parts/k3s/index.ts';
import type { Settings } from '../agent/settings/schema.ts';
import { objectStore } from '../agent/stores/index.ts';

/**
 * Returns the place of claims to a cluster, beside the backups; `undefined` if the settings name no store, or a folder,
 * which may be lost together with the disk of this server.
 */
export function claimsFor(
  { backup }: Pick<Settings, 'backup'>,
  cloud: Pick<Cloud, 'name' | 'secret'>,
): FoundingPorts['claims'] {
  const { to } = backup;
  if (to === undefined || to.startsWith('/')) {
    return undefined;
  }
  return {
    name: to,
    claim: (host, name, text) => objectStore({ ...backup, to }, { host, cloud }).claim(name, text),
  };
}
