/**
 * @module The Azure cloud: instance metadata, Key Vault and container registries, accessed with the VM's managed
 * identity.
 */
import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import type { Cloud } from '../cloud.ts';
import type { CloudGround } from '../driver.ts';
import { requireOwnHost } from '../own-hosts.ts';
import { ifKnown } from '../secret-version.ts';
import {
  type Environment,
  environmentOf,
  registryDomain,
  vaultDomain,
  vaultDomains,
} from './environments.ts';
import { managedIdentity } from './identity.ts';
import { imageDigest } from './image-digest.ts';
import { instanceMetadata } from './imds.ts';
import { type KeyVaultOptions, vaultSecret } from './key-vault.ts';
import { formerVaultSecret, vaultSecretVersion } from './key-vault-versions.ts';
import { registryToken, registryUser } from './registry.ts';
import { scheduledEvents } from './scheduled-events.ts';
import type { AzureSettings } from './settings.ts';
import { blobStorage } from './storage.ts';

/**
 * Makes the adapter for Azure. A process must make only one, because the SDKs keep the identity's tokens in static
 * variables.
 *
 * Loads the SDKs only for the first request to a vault or registry, so that a plan or `slipway version` does not load
 * them.
 */
export function azureCloud({
  host,
  settings,
  consented = [],
}: Omit<CloudGround<AzureSettings>, 'machine'>): Cloud {
  const { imdsEndpoint, identity, registryAudience: audience } = settings;
  const credential = managedIdentity({ host, imdsEndpoint, clientId: identity.clientId });
  const environment = ownEnvironment(host, settings);
  async function vault(): Promise<KeyVaultOptions> {
    return { host, credential, imdsEndpoint, url: await vaultAddress(settings, environment, consented) };
  }
  async function requireOwnRegistry(loginServer: string): Promise<void> {
    if (consented.includes(loginServer)) {
      return;
    }
    const domains = [registryDomain(await environment())];
    requireOwnHost(loginServer, { domains, setting: 'registries.servers or azure.environment', consented });
  }
  return {
    name: 'azure',
    identity: async () => (await instanceMetadata(host, imdsEndpoint)).identity,
    secret: async (name) => vaultSecret(await vault(), name),
    secretVersion: (name) => ifKnown(async () => vaultSecretVersion(await vault(), name)),
    formerSecret: (name) => ifKnown(async () => formerVaultSecret(await vault(), name)),
    endpoints: async () => [new URL(await vaultAddress(settings, environment, consented))],
    registryUser: () => registryUser,
    async registryPassword(loginServer) {
      await requireOwnRegistry(loginServer);
      return registryToken({ host, credential, audience }, loginServer);
    },
    async imageDigest(loginServer, repository, tag) {
      await requireOwnRegistry(loginServer);
      return imageDigest({ host, credential, imdsEndpoint, audience }, { loginServer, repository, tag });
    },
    events: scheduledEvents(host, imdsEndpoint),
    storage: blobStorage({ credential, environment, consented }),
  };
}

/**
 * Returns a function that returns this VM's Azure cloud: the one in the settings or, failing that, the one in the
 * instance metadata, which the function reads only until a read succeeds.
 */
function ownEnvironment(host: Host, azure: AzureSettings): () => Promise<Environment> {
  let known = azure.environment;
  return async () => {
    known ??= environmentOf((await instanceMetadata(host, azure.imdsEndpoint)).azEnvironment);
    return known;
  };
}

/**
 * Returns the URL of the Key Vault without a trailing slash. Throws `VaultNotConfigured`, `ForeignHost`, and the errors
 * of `environment`.
 */
async function vaultAddress(
  { keyVault, environment: named }: AzureSettings,
  environment: () => Promise<Environment>,
  consented: readonly string[],
): Promise<string> {
  const { name, url } = keyVault;
  if (url) {
    const domains = named ? [vaultDomain(named)] : vaultDomains;
    requireOwnHost(new URL(url).hostname, {
      domains,
      setting: 'azure.keyVault.url or azure.environment',
      consented,
    });
    return url.replace(/\/+$/, '');
  }
  if (!name) {
    throw new NodeError(
      'VaultNotConfigured',
      'No Key Vault is configured, so no secret can be read. Set azure.keyVault.name to the vault that holds the join token.',
      forPerson,
    );
  }
  return `https://${name}.${vaultDomain(await environment())}`;
}
