import { type KeyVaultOptions, vaultClient } from './key-vault.ts';

/** The most versions of a secret that are looked at; a vault backs up no secret that has more. */
const mostVersions = 500;

/**
 * Returns the id of the newest enabled version of a secret, by its creation; `undefined` without such a version, or with
 * too many versions. Throws the SDK's error if the vault refuses.
 *
 * A creation has a resolution of one second, so versions of the same second count together. Source: Key Vault REST API,
 * "Get Secret Versions": the list has no values and needs the right to list or, with RBAC, to read metadata.
 */
export async function vaultSecretVersion(vault: KeyVaultOptions, name: string): Promise<string | undefined> {
  const client = await vaultClient(vault, () => {});
  let newest = Number.NEGATIVE_INFINITY;
  let ids: readonly string[] = [];
  let seen = 0;
  for await (const { enabled, createdOn, version } of client.listPropertiesOfSecretVersions(name)) {
    seen += 1;
    if (seen > mostVersions) {
      return undefined;
    }
    const created = createdOn?.getTime();
    if (!enabled || created === undefined || version === undefined || created < newest) {
      continue;
    }
    ids = created === newest ? [...ids, version] : [version];
    newest = created;
  }
  return ids.length === 0 ? undefined : [...ids].sort().join(' ');
}
