import type { Vault } from '../../clouds/cloud.ts';
import { secretEmpty } from '../../clouds/secret-empty.ts';
import type { Host } from '../../engine/host.ts';
import type { Secret } from '../../engine/secret.ts';
import type { Severity } from '../../engine/severity.ts';
import { versionsDigest } from './vault-versions.ts';
import type { WishedSecret } from './wished-secret.ts';

/** The values of a Secret by key, and the digest of their versions in the vault, if the vault shows versions. */
interface VaultValues {
  readonly values: Readonly<Record<string, Secret>>;
  readonly versions: string | undefined;
}

/**
 * Reads the values of a Secret and their versions. Queries each version before its value, so that a value that is
 * replaced in between is read again. A dry run reads neither. If a value is empty, throws `SecretEmpty` with the given
 * severity, since the empty value would replace a working one.
 */
export async function vaultValues(
  host: Host,
  vault: Vault,
  wish: WishedSecret,
  severity: Severity,
): Promise<VaultValues> {
  const read = new Map<string, { readonly value: Secret; readonly version: string | undefined }>();
  for (const name of wish.sources) {
    let version: string | undefined;
    const value = await host.obtain(`a value for Secret ${wish.name} (secret ${name})`, async () => {
      version = await vault.secretVersion(name);
      return filled(await vault.secret(name), name, severity);
    });
    read.set(name, { value, version });
  }
  return {
    values: wish.values((name) => read.get(name)?.value ?? unread(name)),
    versions: versionsDigest([...read.values()].map(({ version }) => version)),
  };
}

function filled(value: Secret, name: string, severity: Severity): Secret {
  if (value.reveal().trim() === '') {
    throw secretEmpty(name, severity);
  }
  return value;
}

function unread(name: string): never {
  throw new Error(`the secret ${name} is not among the sources of its Secret`);
}
