/**
 * A small Azure on loopback: a metadata service for each VM, Entra ID, Key Vaults, storage accounts, and registries
 * with their blob storage. Clients reach vaults, registries and storage by their real names through a proxy, over TLS
 * with the lab's CA. Each service refuses what the real one refuses.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobAccount } from '../stores/blob-container.ts';
import { storageSuffix } from './blob-storage.ts';
import { Entra, type Role } from './entra.ts';
import { type Imds, startImds, type Vm, type VmIdentity } from './imds.ts';
import { type KeyVault, startKeyVaults } from './key-vault.ts';
import type { LoggedRequest } from './loopback.ts';
import { startProxy } from './proxy.ts';
import { startRegistries } from './registries.ts';
import type { Registry } from './registry.ts';
import { ScheduledEvents } from './scheduled-events.ts';
import { startStorageAccounts } from './storage-accounts.ts';
import { createAuthority, type ServerCertificate } from './tls.ts';

export interface AzureOptions {
  /** The VMs by name; omitted fields get a default, such as a system-assigned identity. */
  readonly nodes?: Readonly<Record<string, Partial<Vm>>>;
  /** The secrets of each vault, by the name of the vault. */
  readonly vaults?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly vaultSuffix?: string;
  /** The login servers of the registries. */
  readonly registries?: readonly string[];
  /** The names of storage accounts, each with the container `backups`. */
  readonly storageAccounts?: readonly string[];
  readonly now?: () => number;
}

export interface Azure {
  /** The value for `network.proxy`. */
  readonly proxyUrl: string;
  /** The value for `network.caFile`. */
  readonly caFile: string;
  readonly ca: string;
  readonly tenant: string;
  readonly entra: Entra;
  /** The scheduled events of all VMs. */
  readonly events: ScheduledEvents;
  /** Every request that reached a server, oldest first. */
  readonly requests: LoggedRequest[];
  /** Returns every secret value, token and URL signature so far, none of which may leak. */
  canaries(): readonly string[];
  node(name: string): Imds;
  /** Returns the value for `azure.imdsEndpoint` of a node. */
  imdsUrl(node: string): string;
  vault(name?: string): KeyVault;
  registry(loginServer?: string): Registry;
  /** Returns the storage account with this host name. */
  storageAccount(host: string): BlobAccount;
  /**
   * Assigns a role to the first identity of a node, or removes the role if `assigned` is false; `scope` is the host
   * name of a vault, a registry or a storage account.
   */
  setRole(node: string, role: Role, scope: string, assigned?: boolean): void;
  /** Issues a server certificate from the lab's CA, for additional servers. */
  issue(names: readonly string[]): ServerCertificate;
  /** Issues a certificate with an RSA key, for signing tokens. */
  issueRsa(names: readonly string[]): ServerCertificate;
  /** Makes the proxy route `host:port` to a port on loopback; `undefined` removes the route. */
  route(destination: string, port: number | undefined): void;
  /** The current target of each `host:port`, for clients that do not use the proxy; `undefined` for a removed route. */
  readonly routes: ReadonlyMap<string, number | undefined>;
  stop(): Promise<void>;
}

const vaultSuffixes = ['vault.azure.net', 'vault.usgovcloudapi.net', 'vault.azure.cn'];
const registrySuffixes = ['azurecr.io', 'azurecr.us', 'azurecr.cn'];

export async function startAzure(options: AzureOptions = {}): Promise<Azure> {
  const { nodes = {}, vaults = {}, registries = [], storageAccounts = [], now = Date.now } = options;
  const folder = await mkdtemp(join(tmpdir(), 'slipway-azure-'));
  const requests: LoggedRequest[] = [];
  const events = new ScheduledEvents(now);
  const shared = { entra: new Entra({ tenant: randomUUID(), now }), events, log: requests, now };
  const authority = createAuthority();
  const suffixes = [...vaultSuffixes, ...registrySuffixes, storageSuffix];
  const tls = authority.issue(suffixes.map((suffix) => `*.${suffix}`));

  const imds = await Promise.all(
    Object.entries(nodes).map(([name, vm]) => startImds({ ...shared, vm: usualVm(name, vm) })),
  );
  const vault = await startKeyVaults({
    ...shared,
    tls,
    names: Object.keys(vaults),
    suffix: options.vaultSuffix,
  });
  const registry = await startRegistries({
    ...shared,
    tls,
    tokenCertificate: authority.issueRsa(['tokens.azurecr.io']),
    loginServers: registries,
  });
  const storage = await startStorageAccounts({ ...shared, tls, names: storageAccounts });
  const proxy = await startProxy({ log: requests, suffixes });

  for (const each of vault.vaults) {
    proxy.route(`${each.host}:443`, vault.server.port);
    for (const [name, value] of Object.entries(vaults[each.name] ?? {})) {
      each.set(name, value);
    }
  }
  for (const each of registry.registries) {
    proxy.route(`${each.loginServer}:443`, registry.server.port);
    proxy.route(`${each.storage.host}:443`, registry.storage.port);
  }
  for (const host of storage.accounts.keys()) {
    proxy.route(`${host}:443`, storage.server.port);
  }
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, authority.certificate);

  const node = (name: string) =>
    the(
      imds.find((each) => each.vm.name === name),
      `node ${name}`,
    );
  return {
    proxyUrl: proxy.url,
    caFile,
    ca: authority.certificate,
    tenant: shared.entra.tenant,
    entra: shared.entra,
    events,
    requests,
    canaries: () => [
      ...vault.vaults.flatMap(({ values }) => values),
      ...registry.registries.flatMap(({ issued, accessTokens }) => [...issued, ...accessTokens]),
      ...registry.registries.flatMap(({ storage }) => storage.signatures),
      ...shared.entra.issued,
    ],
    node,
    imdsUrl: (name) => node(name).url,
    vault: (name) =>
      the(
        vault.vaults.find((each) => !name || each.name === name),
        `vault ${name}`,
      ),
    registry: (name) =>
      the(
        registry.registries.find((each) => !name || each.loginServer === name),
        `registry ${name}`,
      ),
    storageAccount: (host) => the(storage.accounts.get(host), `storage account ${host}`),
    setRole: (name, role, scope, assigned = true) => {
      const { objectId } = the(node(name).vm.identities[0], `identity of ${name}`);
      if (assigned) {
        shared.entra.assign(objectId, role, scope);
      } else {
        shared.entra.unassign(objectId, role, scope);
      }
    },
    issue: authority.issue,
    issueRsa: authority.issueRsa,
    route: proxy.route,
    routes: proxy.routes,
    stop: async () => {
      await Promise.all(
        [...imds, vault.server, registry.server, registry.storage, storage.server, proxy].map((each) =>
          each.stop(),
        ),
      );
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Returns an identity for a VM, with new ids. */
export function vmIdentity(kind: VmIdentity['kind'], name = 'node'): VmIdentity {
  return {
    kind,
    objectId: randomUUID(),
    clientId: randomUUID(),
    resourceId: `/subscriptions/lab/${kind}/${name}`,
  };
}

function usualVm(name: string, given: Partial<Vm>): Vm {
  return {
    name,
    computerName: name,
    vmId: randomUUID(),
    location: 'westeurope',
    azEnvironment: 'AzurePublicCloud',
    priority: '',
    interfaces: [['10.0.0.4']],
    tags: {},
    identities: [vmIdentity('system', name)],
    ...given,
  };
}

function the<Thing>(found: Thing | undefined, what: string): Thing {
  if (found === undefined) {
    throw new Error(`The lab has no ${what}.`);
  }
  return found;
}
