import * as z from 'zod/mini';
import type { Host, HttpResponse } from '../../engine/host.ts';
import { parseJson } from '../../engine/json.ts';
import type { Secret } from '../../engine/secret.ts';
import { storedSecret } from '../stored-secret.ts';
import type { InstancePrincipal } from './identity.ts';
import type { Place } from './imds.ts';
import { callUnreachable } from './service-errors.ts';
import { signedRequest, type Unsigned } from './signature.ts';
import { bundleUnreadable, secretRefused, type VaultSecret } from './vault-errors.ts';

export interface VaultOptions {
  readonly host: Host;
  readonly principal: InstancePrincipal;
  readonly place: Place;
  /** The OCID of the vault. */
  readonly vaultId: string;
}

/** The value of a secret, and the id by which the secret's versions are listed. */
export interface SecretBundle {
  readonly value: Secret;
  readonly secretId: string;
}

/**
 * Returns the id of a secret and its value in a stage, by default the current one, without the newline that an editor
 * adds at the end of a file.
 *
 * Throws `SecretNotVisible`, `SecretDisabled`, `SecretEmpty`, `InstancePrincipalRefused`, `VaultUnavailable`,
 * `Throttled`, `TlsUntrusted`, `UnexpectedAnswer`, and the errors of the instance principal and of the proxy login.
 * Source: oci-typescript-sdk, lib/secrets (GetSecretBundleByName: a POST with an empty body; content in base64).
 */
export async function vaultSecret(
  vault: VaultOptions,
  name: string,
  stage: 'CURRENT' | 'PREVIOUS' = 'CURRENT',
): Promise<SecretBundle> {
  const former = stage === 'CURRENT' ? {} : { stage };
  const query = new URLSearchParams({ secretName: name, vaultId: vault.vaultId, ...former });
  const asked = { name, vaultId: vault.vaultId, service: vaultService(vault.place) };
  const response = await call(vault, asked, {
    method: 'POST',
    url: `https://${asked.service}/20190301/secretbundles/actions/getByName?${query}`,
    body: '',
  });
  if (response.status !== 200) {
    throw secretRefused(response, asked, vault.host.now());
  }
  const { secretId, secretBundleContent } = parseJson(bundle, response.body) ?? bundleUnreadable(asked);
  const stored = Buffer.from(secretBundleContent.content, 'base64').toString('utf8');
  const repair =
    'Give it a new version whose content is the token, on one line, in UTF-8, and encoded in base64 once.';
  return { secretId, value: storedSecret(stored, `The secret "${name}" in ${vault.vaultId}`, repair) };
}

/**
 * Returns the id of a secret and the number of its current version in one string; `undefined` if the service refuses or
 * its answer names no current version. Throws the errors of the connection and of the instance principal. Source:
 * oci-typescript-sdk, lib/secrets (ListSecretBundleVersions), which needs the same permission as reading the secret.
 */
export async function currentVersion(vault: VaultOptions, secretId: string): Promise<string | undefined> {
  const service = vaultService(vault.place);
  const { status, body } = await call(
    vault,
    { name: secretId, vaultId: vault.vaultId, service },
    {
      method: 'GET',
      url: `https://${service}/20190301/secretbundles/${encodeURIComponent(secretId)}/versions?sortBy=VERSION_NUMBER&sortOrder=DESC`,
    },
  );
  const versions = status === 200 ? parseJson(versionList, body) : undefined;
  const current = versions?.find(({ stages }) => stages.includes('CURRENT'));
  return current === undefined ? undefined : `${secretId} ${current.versionNumber}`;
}

const bundle = z.object({
  secretId: z.string(),
  secretBundleContent: z.object({ contentType: z.literal('BASE64'), content: z.string() }),
});

const versionList = z.array(
  z.object({ versionNumber: z.number(), stages: z.catch(z.array(z.string()), []) }),
);

/** Returns the host name of the service that returns secrets, in the region of this VM. */
export function vaultService({ region, domain }: Place): string {
  return `secrets.vaults.${region}.oci.${domain}`;
}

/**
 * Sends a signed request. After the status 401 or 404, discards the token of the instance principal, so that the next
 * request gets a token that reflects new policies.
 */
async function call(
  { host, principal }: VaultOptions,
  { service }: VaultSecret,
  request: Unsigned,
): Promise<HttpResponse> {
  const signed = signedRequest(request, await principal.key(), host.now());
  const response = await host
    .send(signed)
    .catch((thrown: unknown) => callUnreachable(thrown, { name: service, unavailable: 'VaultUnavailable' }));
  if (response.status === 401 || response.status === 404) {
    principal.forget();
  }
  return response;
}
