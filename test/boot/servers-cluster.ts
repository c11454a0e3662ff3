/**
 * Three servers with embedded etcd and an agent, all from one user data, and the address of a fourth server. A load
 * balancer is their registration address. `servers.internal` is the DNS name of all servers that exist.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Azure, startAzure } from '../lab/azure/index.ts';
import { startBalancer } from '../lab/balancer.ts';
import { newSecrets, prepareCloud } from '../lab/cluster-secrets.ts';
import { startMirror } from '../lab/mirror.ts';
import type { BlobAccount } from '../lab/stores/blob-container.ts';
import { BootedHost, standInNode } from './booted-host.ts';
import { inThisWorld, loginServer, provenImage, ready, suite, vaultName } from './cluster.ts';
import { openFrontDoor } from './front-door.ts';
import { startNetwork } from './network.ts';
import { provisionByCloudInit } from './provisioning.ts';
import { publishRealK3s, realK3sConfig } from './real-k3s.ts';
import { rootFileSystem } from './root-file-system.ts';

const addresses = {
  'server-1': '10.0.1.4',
  'server-2': '10.0.1.5',
  'server-3': '10.0.1.6',
  'server-4': '10.0.1.7',
  agent: '10.0.1.20',
} as const;

export type MemberName = keyof typeof addresses;

type Member = BootedHost<MemberName>;

const names = ['server-1', 'server-2', 'server-3', 'server-4', 'agent'] as const;
const registration = { host: '10.0.1.50', port: 6443, name: 'k3s.internal' } as const;
const allServers = 'servers.internal';
const account = 'slipwayboot';
const store = `${account}.blob.core.windows.net`;

/** The size of each disk in bytes: a backup needs a gigabyte of free space. */
const diskSize = 4 * 2 ** 30;

/** The settings in the user data of every VM. */
const settings = {
  cloud: 'azure',
  azure: { keyVault: { name: vaultName } },
  joinToken: { agentSecretName: 'k3s-agent-token' },
  registries: { servers: [loginServer], proof: [provenImage] },
  gitops: { engine: 'none' },
  backup: { to: `https://${store}/backups` },
  k3s: { datastore: 'etcd', peers: [allServers], config: realK3sConfig },
};

export interface ServersCluster {
  readonly azure: Azure;
  /** The storage account in which the first server claims the cluster. */
  readonly account: BlobAccount;
  host(name: MemberName): Member;
  /** Makes the DNS name of all servers resolve to these servers on every VM. */
  resolve(...servers: readonly MemberName[]): void;
  /** Creates a VM with an empty disk, or creates it again with its name, tags and user data, and powers it on. */
  create(name: MemberName): Promise<void>;
  /** Cuts the power of a VM; nothing answers at its address. */
  lose(name: MemberName): Promise<void>;
  /** Powers a VM on that was lost. */
  find(name: MemberName): Promise<void>;
  /** Resolves when all powered-on VMs are Ready; rejects after `timeout` milliseconds with the unmet conditions. */
  ready(timeout?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Prepares the VMs, none of which exists yet. The tags mark the first server. */
export async function startServers(): Promise<ServersCluster> {
  const dir = process.env.SLIPWAY_BOOT_DIR ?? mkdtempSync(join(tmpdir(), 'slipway-boot-'));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', dir]);
  const machines = names.map((name) => ({ name, address: addresses[name] }));
  const network = await startNetwork(join(dir, 'network'), machines);
  const azure = await startAzure({
    nodes: Object.fromEntries(names.map((name) => [name, vm(name)])),
    vaults: { [vaultName]: {} },
    registries: [loginServer],
    storageAccounts: [account],
  });
  prepareCloud(azure, names, newSecrets());
  const servers = machines.filter(({ name }) => name !== 'agent');
  for (const { name } of servers) {
    azure.setRole(name, 'Storage Blob Data Contributor', store);
  }
  network.addAddress(registration.host);
  const backends = servers.map(({ address: host }) => ({ host, port: registration.port }));
  const balancer = await startBalancer(registration, backends);
  const mirror = await startMirror(azure, { interpreter: standInNode });
  publishRealK3s(mirror);
  const door = await openFrontDoor({ azure, network, hosts: machines });
  const image = rootFileSystem(suite());
  const hosts = machines.map((machine) => {
    const namespace = network.namespaceOf(machine);
    return new BootedHost({ ...machine, image, dir: join(dir, machine.name), namespace, diskSize });
  });
  const host = (name: MemberName) =>
    hosts.find((each) => each.name === name) ?? fail(`There is no VM ${name}.`);
  let inDns = '';
  const find = async (name: MemberName) => {
    network.plug(host(name), true);
    await host(name).powerOn();
  };
  const lose = async (name: MemberName) => {
    await host(name).crash();
    network.plug(host(name), false);
  };
  return {
    azure,
    account: azure.storageAccount(store),
    host,
    find,
    lose,
    resolve: (...existing) => {
      inDns = existing.map((name) => `${addresses[name]} ${allServers}\n`).join('');
      for (const each of hosts) {
        each.write('/etc/hosts', namesFor(each));
      }
    },
    create: async (name) => {
      await lose(name);
      host(name).renewDisk();
      azure.node(name).vm.vmId = randomUUID();
      inThisWorld(host(name), azure, door);
      host(name).write('/etc/hosts', namesFor(host(name)));
      await provisionByCloudInit(host(name), settings, mirror);
      await find(name);
    },
    ready: (timeout = 240_000) => ready(hosts, timeout),
    stop: async () => {
      await Promise.all(hosts.map((each) => each.crash()));
      await Promise.all([door.stop(), balancer.stop()]);
      await Promise.all([mirror.stop(), azure.stop(), network.stop()]);
    },
  };

  function namesFor({ name }: Member): string {
    const own = `127.0.0.1 localhost\n127.0.1.1 vm-${name}\n`;
    return `${own}${door.names}${registration.host} ${registration.name}\n${inDns}`;
  }
}

function vm(name: MemberName) {
  const kind = name === 'agent' ? { 'k3s-role': 'agent' } : { 'k3s-role': 'server' };
  const mark = name === 'server-1' ? { 'k3s-init': 'true' } : {};
  const tags = { 'k3s-server': registration.name, ...kind, ...mark };
  return { computerName: `vm-${name}`, interfaces: [[addresses[name]]], tags };
}

function fail(message: string): never {
  throw new Error(message);
}
