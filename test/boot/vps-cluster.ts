/** Two clusters of plain VPSs: one in a private network, and one whose VPSs have only public addresses. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../lab/azure/tls.ts';
import { newSecrets } from '../lab/cluster-secrets.ts';
import { startMirror } from '../lab/mirror.ts';
import { BootedHost, standInNode } from './booted-host.ts';
import { suite } from './cluster.ts';
import { openNames } from './internet.ts';
import { rootFileSystem } from './root-file-system.ts';
import { startVpsNetwork, type VpsAddresses, type VpsNetwork } from './vps-network.ts';
import { exampleUserData, provisionVps, publishExecutable } from './vps-provisioning.ts';

export const vpses = {
  server: { name: 'server', publicAddress: '203.0.113.2', privateAddress: '10.0.0.2' },
  agent: { name: 'agent', publicAddress: '203.0.113.3', privateAddress: '10.0.0.3' },
  'far-server': { name: 'far-server', publicAddress: '203.0.113.4' },
  'far-agent': { name: 'far-agent', publicAddress: '203.0.113.5' },
} as const satisfies Readonly<Record<string, VpsAddresses>>;

export type VpsName = keyof typeof vpses;

/** The user data example of each VPS, and the variables that differ between the VPSs. */
const examples = {
  server: { example: 'vps-private-network-server' },
  agent: { example: 'vps-private-network-agent', server_address: vpses.server.privateAddress },
  'far-server': { example: 'vps-wireguard-server' },
  'far-agent': { example: 'vps-wireguard-agent', server_address: vpses['far-server'].publicAddress },
} as const;

/** The name at which kubectl reaches a server. */
export const apiAddress = 'api.example.com';

export interface VpsOptions {
  /** Changes the user data of a host. */
  readonly edit?: (name: VpsName, userData: string) => string;
}

export interface VpsClusters {
  readonly network: VpsNetwork;
  readonly hosts: readonly BootedHost<VpsName>[];
  readonly joinToken: string;
  host(name: VpsName): BootedHost<VpsName>;
  powerOn(): Promise<void>;
  stop(): Promise<void>;
}

/** Prepares the VPSs, all powered off. None of them is attached to the private network. */
export async function startVpses({ edit = (_, text) => text }: VpsOptions = {}): Promise<VpsClusters> {
  if (!existsSync('/proc/sys/net/bridge')) {
    throw new Error(
      'protect-kernel-defaults needs a kernel setting of br_netfilter: run modprobe br_netfilter.',
    );
  }
  const dir = process.env.SLIPWAY_BOOT_DIR ?? mkdtempSync(join(tmpdir(), 'slipway-boot-'));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', dir]);
  const machines = Object.values(vpses);
  const network = startVpsNetwork(join(dir, 'network'), machines);
  const internet = await startInternet(network);
  const { joinToken } = newSecrets();
  const values = {
    ...internet.executable,
    k3s_token: joinToken,
    private_range: '10.0.0.0/16',
    api_address: apiAddress,
  };
  const image = rootFileSystem(suite());
  const hosts = machines.map((vps) => {
    const { name, publicAddress: address } = vps;
    const host = new BootedHost<VpsName>({
      ...{ name, address, image, dir: join(dir, name), namespace: network.namespaceOf(name) },
    });
    const { example, ...others } = examples[name];
    const userData = edit(name, exampleUserData(example, { ...values, ...others }));
    // Both clusters have this name in their certificates, so each VPS finds itself there.
    const names = `${internet.names}${address} ${apiAddress}\n`;
    provisionVps(host, vps, { ...internet, names, userData });
    return host;
  });
  return {
    network,
    hosts,
    joinToken,
    host: (name) => {
      const found = hosts.find((host) => host.name === name);
      if (!found) {
        throw new Error(`There is no VPS ${name}.`);
      }
      return found;
    },
    powerOn: async () => void (await Promise.all(hosts.map((host) => host.powerOn()))),
    stop: async () => {
      await Promise.all(hosts.map((host) => host.crash()));
      await internet.stop();
    },
  };
}

/**
 * Starts the release mirror, the only part of the internet that a VPS needs, and gives each of its names an address.
 */
async function startInternet(network: VpsNetwork) {
  const authority = createAuthority();
  const ports = new Map<string, number | undefined>();
  const route = (destination: string, port: number | undefined) => void ports.set(destination, port);
  const mirror = await startMirror(
    { issue: authority.issue, route, requests: [] },
    { interpreter: standInNode },
  );
  const names = await openNames(ports, network);
  return {
    ca: authority.certificate,
    names: names.hosts,
    executable: publishExecutable(mirror),
    stop: async () => {
      await names.stop();
      await mirror.stop();
    },
  };
}
