/** Starts the emulated clouds that a lab can run on, each with the VMs, secrets and permissions for the lab's nodes. */
import { type Azure, startAzure } from './azure/index.ts';
import type { LoggedRequest } from './azure/loopback.ts';
import type { ServerCertificate } from './azure/tls.ts';
import { type ClusterSecrets, prepareCloud } from './cluster-secrets.ts';
import { type Oracle, startOracle } from './oracle/index.ts';
import { readRepos } from './oracle/registry.ts';
import { readSecret } from './oracle/vault.ts';

export const vaultName = 'slipway-lab';
export const loginServer = 'slipwaylab.azurecr.io';
export const provenImage = `${loginServer}/hello/world:1`;
const storageAccount = 'slipwaylab';
/** The host name of the storage account, on which no VM has a role at first. */
export const storageHost = `${storageAccount}.blob.core.windows.net`;

/** A node of the lab as its cloud shows it. */
export interface LabVm {
  readonly name: string;
  readonly computerName: string;
  readonly address: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The part of an emulated cloud that the lab uses. */
export interface LabCloud {
  readonly proxyUrl: string;
  readonly caFile: string;
  /** Every request that reached a server, oldest first. */
  readonly requests: LoggedRequest[];
  issue(names: readonly string[]): ServerCertificate;
  route(destination: string, port: number | undefined): void;
  stop(): Promise<void>;
}

/** An emulated cloud with a registry. */
export interface RegistryCloud extends LabCloud {
  /** The registry that the nodes pull from. `tokenLifetime` is the lifetime of its passwords, in milliseconds. */
  registry(): { readonly loginServer: string; tokenLifetime: number };
}

/** A running cloud. `settings` returns the settings that a node needs to use the cloud. */
export interface StartedCloud<Cloud extends LabCloud> {
  readonly cloud: Cloud;
  /** The name of the example user data for VMs of the cloud. */
  readonly userData: 'user-data' | 'oracle';
  settings(node: string): object;
}

/**
 * Starts an emulated Azure with one vault, one registry and one storage account. Every VM may read the secrets and pull
 * from the registry.
 */
export async function labAzure(vms: readonly LabVm[], secrets: ClusterSecrets): Promise<StartedCloud<Azure>> {
  const nodes = vms.map(({ name, computerName, address, tags }) => {
    return [name, { computerName, interfaces: [[address]], tags: { ...tags } }] as const;
  });
  const cloud = await startAzure({
    nodes: Object.fromEntries(nodes),
    vaults: { [vaultName]: {} },
    registries: [loginServer],
    storageAccounts: [storageAccount],
  });
  prepareCloud(
    cloud,
    vms.map(({ name }) => name),
    secrets,
  );
  const settings = (node: string) => ({
    cloud: 'azure',
    azure: { imdsEndpoint: cloud.imdsUrl(node), keyVault: { name: vaultName } },
    registries: { servers: [loginServer], proof: [provenImage] },
  });
  return { cloud, userData: 'user-data', settings };
}

/**
 * Starts an emulated Oracle Cloud with one vault and one registry. Every VM may read the secrets and pull from the
 * registry.
 */
export async function labOracle(
  vms: readonly LabVm[],
  { joinToken, agentToken, gitToken, cloudflareToken }: ClusterSecrets,
): Promise<StartedCloud<Oracle>> {
  const nodes = vms.map(({ name, computerName, address, tags }) => {
    return [name, { hostname: computerName, addresses: [address], freeformTags: { ...tags } }] as const;
  });
  const server = 'fra.ocir.io';
  const stored = {
    'k3s-token': joinToken,
    'k3s-agent-token': agentToken,
    'flux-git-token': gitToken,
    'cloudflare-token': cloudflareToken,
  };
  const cloud = await startOracle({
    nodes: Object.fromEntries(nodes),
    secrets: stored,
    registries: [server],
  });
  for (const { name } of vms) {
    for (const permission of [readRepos, ...Object.keys(stored).map(readSecret)]) {
      cloud.permit(name, permission);
    }
  }
  const settings = (node: string) => ({
    cloud: 'oracle',
    oracle: { imdsEndpoint: cloud.node(node).url, vault: { id: cloud.vault.id } },
    registries: { servers: [server], proof: [`${server}/labspace/hello/world:1`] },
  });
  return { cloud, userData: 'oracle', settings };
}
