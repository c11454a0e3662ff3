/** Reasons for failures of managed identities and Key Vault. */
export const azureReasons = {
  ManagedIdentityMissing: 'The VM has no managed identity yet, or not the one that the settings name.',
  ManagedIdentityAmbiguous: 'The VM has several managed identities: set azure.identity.clientId.',
  ManagedIdentityUnavailable: 'The managed identity endpoint does not answer yet.',
  VaultNotFound: 'The name of the Key Vault has no address in DNS: check azure.keyVault.name.',
  VaultForbidden: 'The identity may not read this secret: assign it the role Key Vault Secrets User.',
  VaultFirewall:
    'The firewall of the Key Vault rejects this address: allow the subnet or use a private endpoint.',
  VaultWrongTenant: "The Key Vault does not accept tokens from this VM's tenant.",
} as const;
