import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Azure, startAzure } from '../lab/azure/index.ts';
import { type ClusterSecrets, gitHostKnows, newSecrets, prepareCloud } from '../lab/cluster-secrets.ts';
import { type Mirror, startMirror } from '../lab/mirror.ts';
import { BootedHost, eventually, standInNode } from './booted-host.ts';
import { type FrontDoor, openFrontDoor } from './front-door.ts';
import { type Network, startNetwork } from './network.ts';
import { provisionByCloudInit, provisionByImage } from './provisioning.ts';
import { rootFileSystem, type Suite } from './root-file-system.ts';

export type HostName = 'server' | 'agent' | 'observability';

export interface ClusterOptions {
  readonly hosts?: readonly HostName[];
  /** How a host gets Slipway: by cloud-init, or in an image with the executable, its units and its settings. */
  readonly from?: 'cloud-init' | 'image';
  /** Returns settings for one host, merged at the top level over the settings of all hosts. */
  readonly settings?: (host: HostName) => object;
  readonly k3sVersions?: readonly string[];
  /** The lifetime of registry credentials, in milliseconds. */
  readonly passwordLife?: number;
  /** True to start without the secrets in the vault and without the roles of the identities; `prepare` adds both. */
  readonly unprepared?: boolean;
}

export interface Cluster {
  readonly azure: Azure;
  readonly mirror: Mirror;
  readonly network: Network;
  readonly door: FrontDoor;
  readonly hosts: readonly BootedHost<HostName>[];
  readonly secrets: ClusterSecrets;
  host(name: HostName): BootedHost<HostName>;
  /** Deletes a VM with its data, creates it again with its name and address, and powers it on. */
  recreate(host: BootedHost<HostName>): Promise<void>;
  /** Powers all hosts on. */
  powerOn(): Promise<void>;
  /** Resolves when all powered-on hosts are Ready; rejects after `timeout` milliseconds with the unmet conditions. */
  ready(timeout?: number): Promise<void>;
  /**
   * Adds the secrets to the vault, and assigns every identity its roles. A cluster started with `unprepared` needs this
   * call.
   */
  prepare(): void;
  stop(): Promise<void>;
}

export const vaultName = 'slipway-boot';
export const loginServer = 'slipwayboot.azurecr.io';
export const provenImage = `${loginServer}/hello/world:1`;

const addresses = { server: '10.0.1.4', agent: '10.0.1.5', observability: '10.0.1.6' } as const;

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { hosts: names = ['server', 'agent', 'observability'], from = 'image' } = options;
  const dir = process.env.SLIPWAY_BOOT_DIR ?? mkdtempSync(join(tmpdir(), 'slipway-boot-'));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', dir]);
  const secrets = newSecrets();
  const machines = names.map((name) => ({ name, address: addresses[name] }));
  const network = await startNetwork(join(dir, 'network'), machines);
  const azure = await startAzure({
    nodes: Object.fromEntries(names.map((name) => [name, vm(name)])),
    vaults: { [vaultName]: {} },
    registries: [loginServer],
  });
  if (options.passwordLife !== undefined) {
    azure.registry().tokenLifetime = options.passwordLife;
  }
  const { k3sVersions } = options;
  const mirror = await startMirror(azure, { interpreter: standInNode, ...(k3sVersions && { k3sVersions }) });
  const door = await openFrontDoor({ azure, network, hosts: machines });
  const image = rootFileSystem(suite());
  const hosts = machines.map(
    (machine) =>
      new BootedHost({
        ...machine,
        image,
        dir: join(dir, machine.name),
        namespace: network.namespaceOf(machine),
      }),
  );
  const provision = async (host: BootedHost<HostName>) => {
    inThisWorld(host, azure, door);
    const settings = { ...everyHosts, ...options.settings?.(host.name) };
    if (from === 'image') {
      await provisionByImage(host, settings);
    } else {
      await provisionByCloudInit(host, settings, mirror);
    }
    if (host.name === 'server') {
      gitHostKnows(secrets, host);
    }
  };
  for (const host of hosts) {
    await provision(host);
  }
  const cluster: Cluster = {
    azure,
    mirror,
    network,
    door,
    hosts,
    secrets,
    host: (name) => {
      const found = hosts.find((host) => host.name === name);
      if (!found) {
        throw new Error(`This cluster has no ${name}.`);
      }
      return found;
    },
    recreate: async (host) => {
      await host.crash();
      host.renewDisk();
      await provision(host);
      await host.powerOn();
    },
    powerOn: async () => void (await Promise.all(hosts.map((host) => host.powerOn()))),
    ready: (timeout = 240_000) => ready(hosts, timeout),
    prepare: () => prepareCloud(azure, names, secrets),
    stop: async () => {
      await Promise.all(hosts.map((host) => host.crash()));
      await door.stop();
      await Promise.all([mirror.stop(), azure.stop(), network.stop()]);
    },
  };
  if (!options.unprepared) {
    cluster.prepare();
  }
  return cluster;
}

/** Returns the Debian suite to boot: `bookworm` if SLIPWAY_BOOT_SUITE names it, otherwise `trixie`. */
export function suite(): Suite {
  return process.env.SLIPWAY_BOOT_SUITE === 'bookworm' ? 'bookworm' : 'trixie';
}

function vm(name: HostName) {
  const tags = { 'k3s-role': name, ...(name === 'server' ? {} : { 'k3s-server': addresses.server }) };
  return { computerName: `vm-${name}`, interfaces: [[addresses[name]]], tags };
}

/** The settings of every host; a host ignores the settings for other roles. */
const everyHosts = {
  cloud: 'azure',
  azure: { keyVault: { name: vaultName } },
  joinToken: { agentSecretName: 'k3s-agent-token' },
  registries: { servers: [loginServer], proof: [provenImage] },
  gitops: {
    engine: 'flux',
    flux: {
      provider: 'github',
      owner: 'slipway',
      repository: 'fleet',
      path: 'clusters/boot',
      personal: true,
    },
  },
};

/**
 * Connects a host to the emulated world: writes names in place of DNS, the lab's CA, the VM id and a new machine id.
 */
export function inThisWorld(host: BootedHost, azure: Azure, door: FrontDoor): void {
  host.write('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 vm-${host.name}\n${door.names}`);
  host.append('/etc/ssl/certs/ca-certificates.crt', azure.ca);
  host.write('/etc/pretended-hardware/product_uuid', `${azure.node(host.name).vm.vmId}\n`);
  host.write('/etc/machine-id', `${randomBytes(16).toString('hex')}\n`);
}

export async function ready(hosts: readonly BootedHost[], timeout: number): Promise<void> {
  const on = hosts.filter(({ isOn }) => isOn);
  try {
    await eventually('all nodes to be Ready', () => on.every((host) => host.isReady()), timeout);
  } catch (thrown) {
    const stories = await Promise.all(on.filter((host) => !host.isReady()).map(storyOf));
    throw new Error(`${thrown instanceof Error ? thrown.message : thrown}\n${stories.join('\n')}`);
  }
}

/**
 * Resolves to a host's unmet conditions and its last 20 journal lines of priority `notice` or higher, for the message
 * of a failed test.
 */
export async function storyOf(host: BootedHost): Promise<string> {
  const open = (host.status()?.conditions ?? []).filter(({ status }) => status !== 'True');
  const conditions = open.map(
    ({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`,
  );
  const journal = await host.journal('-p', '5', '-n', '20');
  const lines = journal.map(({ unit, message }) => `journal: ${unit}: ${message}`);
  return [`--- ${host.name}`, ...conditions, ...lines].join('\n  ');
}
