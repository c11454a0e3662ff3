import type { TokenCredential } from '@azure/identity';
import type { SecretClient } from '@azure/keyvault-secrets';
import { NodeError } from '../../engine/errors.ts';
import type { Host, HttpResponse } from '../../engine/host.ts';
import type { Secret } from '../../engine/secret.ts';
import { storedSecret } from '../stored-secret.ts';
import { askedOnce, azureHttpClient } from './http-client.ts';
import { notThatVault, secretRefused, vaultUnreachable } from './key-vault-errors.ts';

export interface KeyVaultOptions {
  readonly host: Host;
  readonly credential: TokenCredential;
  readonly imdsEndpoint: string;
  /** The URL of the vault, such as `https://NAME.vault.azure.net`. */
  readonly url: string;
}

/**
 * Returns the value of a secret, by default that of its current version, without the newline that an editor adds at the
 * end of a file.
 *
 * Throws `SecretNotFound`, `SecretDisabled`, `SecretEmpty`, `VaultForbidden`, `VaultFirewall`, `VaultWrongTenant`,
 * `VaultNotFound`, `VaultUnavailable`, `Throttled`, `TlsUntrusted`, `UnexpectedAnswer`, and the errors of the identity
 * and of the proxy login. Sources: "Azure Key Vault REST API error codes"; "Authentication, requests and responses" for
 * the challenge.
 */
export async function vaultSecret(vault: KeyVaultOptions, name: string, version?: string): Promise<Secret> {
  const { host, url } = vault;
  let outcome: HttpResponse | Error | undefined;
  const client = await vaultClient(vault, (seen) => (outcome = seen));
  try {
    const { value } = await client.getSecret(name, version === undefined ? {} : { version });
    return storedSecret(
      value ?? '',
      `The secret "${name}" in ${url}`,
      'Give it a new version whose value is the token, on one line, as plain text or from a file in UTF-8.',
    );
  } catch (thrown) {
    if (thrown === outcome && thrown instanceof NodeError) {
      throw vaultUnreachable(thrown, url);
    }
    if (isRefusal(thrown) && outcome && !(outcome instanceof Error)) {
      throw secretRefused(outcome, url, name, host.now());
    }
    throw isForeignChallenge(thrown) ? notThatVault(thrown, url) : thrown;
  }
}

/**
 * Makes a client for one read, because a reused client refreshes tokens in the background, every three seconds after a
 * failure.
 */
export async function vaultClient(
  { host, credential, imdsEndpoint, url }: KeyVaultOptions,
  observe: (outcome: HttpResponse | Error) => void,
): Promise<SecretClient> {
  const { SecretClient } = await import('@azure/keyvault-secrets');
  return new SecretClient(url, forVaults(credential, url), {
    httpClient: azureHttpClient({ host, imdsEndpoint, origin: url, observe }),
    ...askedOnce,
    serviceVersion: '7.6',
  });
}

/**
 * True if the SDK threw because of an answer: a RestError, or a TypeError if the body is not from Key Vault, such as a
 * proxy's page or an empty body.
 */
function isRefusal(thrown: unknown): boolean {
  return thrown instanceof TypeError || (thrown instanceof Error && thrown.name === 'RestError');
}

/**
 * Returns a credential that gets tokens only for the domain of this vault, and throws if the vault's challenge names
 * anything else. The SDK itself would accept any suffix of the vault's host name, even `https://net`.
 */
function forVaults(credential: TokenCredential, url: string): TokenCredential {
  const [, domain = ''] = /^[^.]+\.(.+)$/.exec(new URL(url).hostname) ?? [];
  return {
    getToken(scopes, options) {
      if (String(scopes) === `https://${domain}/.default`) {
        return credential.getToken(scopes, options);
      }
      throw new Error(`The challenge asks for a token for ${String(scopes)}.`);
    },
  };
}

/**
 * True if the SDK or `forVaults` threw the error because a challenge named another domain; no token was requested then.
 */
function isForeignChallenge(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.message.startsWith('The challenge ');
}
