import * as z from 'zod/mini';
import { url } from '../../settings/address-forms.ts';
import { text } from '../../settings/forms.ts';
import { about, type Section, type SettingsSection } from '../../settings/section.ts';

const vaultId = text(
  /^ocid1\.vault\.[0-9a-z-]+\.[0-9a-z-]*(\.[0-9A-Za-z_-]+)+$/,
  'be the OCID of a vault, such as ocid1.vault.oc1.eu-frankfurt-1.abc.def',
);

const tagNamespace = text(/^[^\s.]{1,100}$/, 'be the name of a tag namespace, without blanks and dots');

/** The form of secret names in Oracle's Vault (Terraform provider for OCI, `oci_vault_secret`, secret_name). */
export const vaultSecretName = text(
  /^[0-9A-Za-z._-]{1,255}$/,
  'be a secret name: letters, digits, dashes, underscores and dots',
);

const schema = about(
  'Settings for cloud oracle.',
  z.strictObject({
    imdsEndpoint: about('The address of the instance metadata service.', url),
    vault: z.strictObject({
      id: about('The OCID of the vault with the join token.', z.optional(vaultId)),
    }),
    tagNamespace: about(
      'The namespace whose defined tags are read as instance tags; by default the freeform tags.',
      z.optional(tagNamespace),
    ),
  }),
);

export type OracleSettings = Section<typeof schema>;

export const oracleSettings = {
  schema,
  defaults: { imdsEndpoint: 'http://169.254.169.254', vault: {} },
  plainHttp: () => [{ path: ['imdsEndpoint'], risk: "read the keys of this VM's identity" }],
} as const satisfies SettingsSection<typeof schema>;
