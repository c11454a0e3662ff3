import { NodeError } from '../../core/errors.ts';

export type Environment = 'public' | 'usgovernment' | 'china';

/** How Azure's clouds differ for a node: the name their metadata gives, and the domain of their Key Vaults. */
const clouds = {
  public: { azEnvironment: 'AzurePublicCloud', vaultDomain: 'vault.azure.net' },
  usgovernment: { azEnvironment: 'AzureUSGovernmentCloud', vaultDomain: 'vault.usgovcloudapi.net' },
  china: { azEnvironment: 'AzureChinaCloud', vaultDomain: 'vault.azure.cn' },
} as const satisfies Record<Environment, { readonly azEnvironment: string; readonly vaultDomain: string }>;

/** The domain below which the Key Vaults of a cloud live. */
export function vaultDomain(environment: Environment): string {
  return clouds[environment].vaultDomain;
}

/**
 * The cloud that the instance metadata names, upper and lower case alike.
 *
 * A name that is not known is `UnexpectedAnswer`: a setting has to say which cloud it is.
 */
export function environmentOf(azEnvironment: string): Environment {
  const named = azEnvironment.toLowerCase();
  for (const environment of ['public', 'usgovernment', 'china'] as const) {
    if (clouds[environment].azEnvironment.toLowerCase() === named) return environment;
  }
  throw new NodeError(
    'UnexpectedAnswer',
    `The instance metadata names the Azure cloud "${azEnvironment}", which Slipway does not know. ` +
      'Set azure.environment to public, usgovernment or china, or give the whole azure.keyVault.url.',
    { retry: { pace: 'slow' } },
  );
}
