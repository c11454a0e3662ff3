/** Reasons for failures of the VM's identity. */
export const identityReasons = {
  IdentityUnavailable: 'The instance metadata service has no answer yet.',
} as const;

/** Reasons for failures of secrets, in a vault or in files. */
export const secretReasons = {
  SecretNotFound: 'The secret does not exist in the vault yet.',
  SecretDisabled: 'The secret is disabled or expired in the vault.',
  SecretEmpty: 'The secret exists but has no usable value.',
  SecretExposed: 'The file that holds the secret is open to every user of the machine: chmod 600.',
} as const;

/** Reasons for failures of the registry login that the cloud provides. */
export const loginReasons = {
  RegistryUnavailable: 'The registry does not answer, or answers with an error of its own.',
  RegistryNotFound: 'The name of the registry does not resolve: check registries.servers.',
  RegistryUnauthorized:
    'The cloud has no login for the registry, or the registry does not accept the identity of this VM.',
  RegistryForbidden: 'The registry refuses this address or identity: check its firewall and permissions.',
} as const;
