import type { Secret } from '../../engine/secret.ts';
import { type KeyVaultOptions, vaultClient, vaultSecret } from './key-vault.ts';

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
  const [newest] = await generations(vault, name);
  return newest && [...newest].sort().join(' ');
}

/**
 * Returns the value of the second newest enabled version of a secret; `undefined` without such a version, or if several
 * versions were created in that second. Throws the errors of the SDK and of `vaultSecret`.
 */
export async function formerVaultSecret(vault: KeyVaultOptions, name: string): Promise<Secret | undefined> {
  const [, former = []] = await generations(vault, name);
  const [version, ...others] = former;
  return version === undefined || others.length > 0 ? undefined : vaultSecret(vault, name, version);
}

/**
 * Returns the ids of the enabled versions of a secret by the second of their creation, the newest first; an empty list
 * if the secret has too many versions.
 */
async function generations(vault: KeyVaultOptions, name: string): Promise<readonly (readonly string[])[]> {
  const client = await vaultClient(vault, () => {});
  const bySecond = new Map<number, readonly string[]>();
  let seen = 0;
  for await (const { enabled, createdOn, version } of client.listPropertiesOfSecretVersions(name)) {
    seen += 1;
    if (seen > mostVersions) {
      return [];
    }
    const created = createdOn?.getTime();
    if (enabled && created !== undefined && version !== undefined) {
      bySecond.set(created, [...(bySecond.get(created) ?? []), version]);
    }
  }
  return [...bySecond].toSorted(([a], [b]) => b - a).map(([, ids]) => ids);
}
