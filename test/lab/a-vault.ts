import type { Vault } from '../../src/agent/clouds/cloud.ts';
import { Secret } from '../../src/agent/engine/secret.ts';

/**
 * Returns a vault in which every secret has this value and version; without `version`, the vault reports no versions.
 */
export function aVault(value = 'unused', version?: string): Vault {
  return { secret: async () => new Secret(value), secretVersion: async () => version };
}
