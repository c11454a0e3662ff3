import * as z from 'zod/mini';
import { address, url } from '../../settings/address-forms.ts';
import { text } from '../../settings/forms.ts';
import { given, type Problem } from '../../settings/path.ts';
import { about, type Section, type SettingsSection, type Written } from '../../settings/section.ts';

const clientId = text(
  /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/,
  'be a client id such as 11111111-2222-3333-4444-555555555555',
);

export const vaultUrl = address(
  /^https:\/\/[^\s/@?#]+(\/[^\s@?#]*)?$/,
  'be an https:// URL such as https://myvault.vault.azure.net, without user name, password or query',
);

const vaultName = text(
  /^[A-Za-z](?!.*--)[0-9A-Za-z-]{1,22}[0-9A-Za-z]$/,
  'be the name of a Key Vault: 3 to 24 letters, digits and dashes; give a whole address as azure.keyVault.url',
);

/**
 * The form of secret names in Key Vault
 * (https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates).
 */
export const vaultSecretName = text(/^[0-9A-Za-z-]{1,127}$/, 'be a secret name: letters, digits and dashes');

const schema = about(
  'Settings for cloud azure.',
  z.strictObject({
    imdsEndpoint: about('The address of the instance metadata service.', url),
    environment: about(
      'The Azure cloud; by default the one that the metadata service reports.',
      z.optional(z.enum(['public', 'usgovernment', 'china'])),
    ),
    identity: z.strictObject({
      clientId: about(
        'The client id of a user-assigned managed identity; by default the system-assigned one.',
        z.optional(clientId),
      ),
    }),
    keyVault: z.strictObject({
      name: about('The name of the Key Vault with the join token.', z.optional(vaultName)),
      url: about('The URL of the Key Vault, instead of its name.', z.optional(vaultUrl)),
    }),
    registryAudience: about(
      "The audience of the identity's token that Slipway exchanges for a registry credential.",
      url,
    ),
  }),
);

export type AzureSettings = Section<typeof schema>;

export const azureSettings = {
  schema,
  defaults: {
    imdsEndpoint: 'http://169.254.169.254',
    identity: {},
    keyVault: {},
    registryAudience: 'https://containerregistry.azure.net',
  },
  misfits: vaultNamedTwice,
  plainHttp: () => [{ path: ['imdsEndpoint'], risk: "read the tokens of this VM's identity" }],
} as const satisfies SettingsSection<typeof schema>;

/** Returns a problem if both the name and the URL of the vault are set. */
function vaultNamedTwice({ keyVault }: Written): readonly Problem[] {
  const { name, url } = Object(keyVault);
  const message =
    'cannot go with azure.keyVault.name; keep one, and unset the other by leaving it without a value';
  return !given(name) || !given(url) ? [] : [{ path: ['keyVault', 'url'], message }];
}
