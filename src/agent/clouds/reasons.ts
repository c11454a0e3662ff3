/** Reasons for failures of the VM's identity. */
export const identityReasons = {
  IdentityUnavailable: 'The instance metadata service does not answer yet.',
} as const;

/** Reasons for failures of any cloud's vault, and for hosts that may not see a token. */
export const vaultReasons = {
  ForeignHost:
    "The settings name a host outside the domains of the VM's cloud. Slipway sends it no token of the VM's identity.",
  VaultNotConfigured: 'No vault is configured: name it in the section of the cloud.',
  VaultUnavailable: 'The vault does not answer, or answers with a server error.',
} as const;

/** Reasons for failures of secrets, in a vault or in files. */
export const secretReasons = {
  SecretNotFound: 'The secret does not exist in the vault yet.',
  SecretDisabled: 'The secret is disabled or expired in the vault.',
  SecretEmpty: 'The secret exists but has no usable value.',
  SecretExposed: 'Other users of the machine can read the file with the secret: chmod 600.',
} as const;

/** Reasons for failures of the registry login that the cloud provides. */
export const loginReasons = {
  RegistryUnavailable: 'The registry does not answer, or answers with a server error.',
  RegistryNotFound: 'The name of the registry has no address in DNS: check registries.servers.',
  RegistryUnauthorized:
    'The cloud has no login for the registry, or the registry does not accept the identity of this VM.',
  RegistryForbidden:
    'The registry rejects this address or identity: check the firewall and permissions of the registry.',
} as const;
