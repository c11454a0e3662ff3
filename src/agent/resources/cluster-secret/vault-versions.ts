import type { Vault } from '../../clouds/cloud.ts';
import { shortDigest } from '../../engine/digest.ts';

/** Returns a digest of the versions of these secrets in the vault; `undefined` if one of the versions is unknown. */
export async function vaultVersions(vault: Vault, names: readonly string[]): Promise<string | undefined> {
  const versions: (string | undefined)[] = [];
  for (const name of names) {
    versions.push(await vault.secretVersion(name));
  }
  return versionsDigest(versions);
}

/** Returns a digest of versions, in the order of their secrets; `undefined` if one of them is unknown. */
export function versionsDigest(versions: readonly (string | undefined)[]): string | undefined {
  return versions.includes(undefined) ? undefined : shortDigest(JSON.stringify(versions));
}
