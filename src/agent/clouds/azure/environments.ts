import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';

export type Environment = 'public' | 'usgovernment' | 'china';

/**
 * The differences between Azure's clouds: the name in the metadata, and the domains of Key Vaults, container registries
 * and blob storage. Sources: "About keys, secrets and certificates", vault name and object name; "Azure Container
 * Registry endpoint reference" (regional and data endpoints are in the same domains); "Compare Azure Government and
 * global Azure" and "Azure China endpoints" for the storage.
 */
const environments = {
  public: {
    azEnvironment: 'AzurePublicCloud',
    vaultDomain: 'vault.azure.net',
    registryDomain: 'azurecr.io',
    storageDomain: 'blob.core.windows.net',
  },
  usgovernment: {
    azEnvironment: 'AzureUSGovernmentCloud',
    vaultDomain: 'vault.usgovcloudapi.net',
    registryDomain: 'azurecr.us',
    storageDomain: 'blob.core.usgovcloudapi.net',
  },
  china: {
    azEnvironment: 'AzureChinaCloud',
    vaultDomain: 'vault.azure.cn',
    registryDomain: 'azurecr.cn',
    storageDomain: 'blob.core.chinacloudapi.cn',
  },
} as const satisfies Record<Environment, Readonly<Record<string, string>>>;

/** Returns the domain of all Key Vaults in an Azure cloud. */
export function vaultDomain(environment: Environment): string {
  return environments[environment].vaultDomain;
}

/** The domains of the Key Vaults in all Azure clouds. */
export const vaultDomains: readonly string[] = Object.values(environments).map((each) => each.vaultDomain);

/** Returns the domain of all container registries in an Azure cloud. */
export function registryDomain(environment: Environment): string {
  return environments[environment].registryDomain;
}

/** Returns the domain of the blob storage of all accounts in an Azure cloud. */
export function storageDomain(environment: Environment): string {
  return environments[environment].storageDomain;
}

/**
 * Returns the Azure cloud with the name in the instance metadata, ignoring the case of the name. Throws
 * `UnexpectedAnswer` for an unknown name; a person must then set azure.environment.
 */
export function environmentOf(azEnvironment: string): Environment {
  const named = azEnvironment.toLowerCase();
  for (const environment of ['public', 'usgovernment', 'china'] as const) {
    if (environments[environment].azEnvironment.toLowerCase() === named) {
      return environment;
    }
  }
  throw new NodeError(
    'UnexpectedAnswer',
    `The instance metadata names the Azure cloud "${azEnvironment}", which Slipway does not know. ` +
      'Set azure.environment to public, usgovernment or china, or give the whole azure.keyVault.url.',
    forPerson,
  );
}
