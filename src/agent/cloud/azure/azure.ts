/** @module Azure: instance metadata, Key Vault and container registries, as the VM's managed identity. */
import { NodeError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import type { Cloud } from '../cloud.ts';
import { type Environment, environmentOf, vaultDomain } from './clouds.ts';
import { managedIdentity } from './identity.ts';
import { imageDigest } from './image-digest.ts';
import { instanceMetadata } from './imds.ts';
import { vaultSecret } from './key-vault.ts';
import { registryToken, registryUser } from './registry.ts';

/** The settings this cloud needs, from the section `azure`. */
export interface AzureSettings {
  readonly imdsEndpoint: string;
  readonly environment?: Environment | undefined;
  readonly identity: { readonly clientId?: string | undefined };
  readonly keyVault: { readonly name?: string | undefined; readonly url?: string | undefined };
  readonly registryAudience: string;
}

export interface AzureCloudOptions {
  readonly host: Host;
  readonly settings: { readonly azure: AzureSettings };
}

/**
 * This VM's Azure. Make one per process: the SDKs keep the identity's tokens in statics of their own.
 *
 * The SDKs are loaded when a secret is first read, so that a plan or `slipway version` does without them.
 */
export function azureCloud({ host, settings: { azure } }: AzureCloudOptions): Cloud {
  const { imdsEndpoint, identity, registryAudience: audience } = azure;
  const credential = managedIdentity({ host, imdsEndpoint, clientId: identity.clientId });
  return {
    name: 'azure',
    identity: async () => (await instanceMetadata(host, imdsEndpoint)).identity,
    secret: async (name) =>
      vaultSecret({ host, credential, imdsEndpoint, url: await vaultUrl(host, azure) }, name),
    registryUser: () => registryUser,
    registryPassword: (loginServer) => registryToken({ host, credential, audience }, loginServer),
    imageDigest: (loginServer, repository, tag) =>
      imageDigest({ host, credential, imdsEndpoint, audience }, { loginServer, repository, tag }),
  };
}

async function vaultUrl(host: Host, { keyVault, environment, imdsEndpoint }: AzureSettings): Promise<string> {
  const { name, url } = keyVault;
  if (url) return url.replace(/\/+$/, '');
  if (!name)
    throw new NodeError(
      'VaultNotConfigured',
      'No Key Vault is configured, so no secret can be read. Set azure.keyVault.name to the vault that holds the join token.',
      { retry: { pace: 'slow' } },
    );
  const cloud = environment ?? environmentOf((await instanceMetadata(host, imdsEndpoint)).azEnvironment);
  return `https://${name}.${vaultDomain(cloud)}`;
}
