import { type KeyVaultOptions, vaultClient } from './key-vault.ts';

/** The largest number of versions to read. Key Vault refuses to back up a secret that has more. */
const mostVersions = 500;

/**
 * Returns the id of the most recently created enabled version of a secret; `undefined` if no version is enabled or if
 * the secret has more than 500 versions. Throws the errors of the SDK, the identity and the connection.
 *
 * If the newest versions were created in the same second, returns all their ids in one string, because creation times
 * have a resolution of one second. Source: Key Vault REST API, "Get Secret Versions": the list contains no values, and
 * requires the permission to list or, with RBAC, to read metadata.
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
