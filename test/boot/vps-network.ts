/**
 * The networks of a scenario at a provider without a cloud API: the internet, on which this process has an address, and
 * a private network, on which it has none. Nothing answers at the address of a metadata service.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The address of this process, which is the source of requests from outside. RFC 5737 reserves its range for
 * documentation.
 */
export const outside = '203.0.113.1';

export interface VpsAddresses {
  readonly name: string;
  readonly publicAddress: string;
  /** Absent for a VPS without a private network. */
  readonly privateAddress?: string;
}

export interface VpsNetwork {
  namespaceOf(name: string): string;
  /** Gives this process another address on the internet. */
  addAddress(address: string): void;
  /** Attaches a VPS to the private network, as its second interface. */
  attach(vps: VpsAddresses): void;
}

const [internet, privateNetwork] = ['internet', 'private'] as const;

export function startVpsNetwork(dir: string, hosts: readonly VpsAddresses[]): VpsNetwork {
  mkdirSync(dir, { recursive: true });
  ip('link', 'set', 'lo', 'up');
  for (const bridge of [internet, privateNetwork]) {
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('link', 'set', bridge, 'up');
  }
  const addAddress = (address: string) => ip('addr', 'add', `${address}/24`, 'dev', internet);
  addAddress(outside);
  const namespaceOf = (name: string) => join(dir, `${name}.net`);
  const plugIn = (vps: VpsAddresses, bridge: string, card: string, address: string) => {
    const port = `${card}-${address.split('.')[3]}`;
    const [peer, netns] = [
      ['type', 'veth', 'peer', 'name', card],
      ['netns', namespaceOf(vps.name)],
    ];
    ip('link', 'add', port, ...peer, ...netns, 'address', macOf(address));
    ip('link', 'set', port, 'master', bridge, 'up');
  };
  for (const vps of hosts) {
    const namespace = namespaceOf(vps.name);
    writeFileSync(namespace, '');
    execFileSync('unshare', [`--net=${namespace}`, 'ip', 'link', 'set', 'lo', 'up']);
    plugIn(vps, internet, 'eth0', vps.publicAddress);
  }
  return {
    namespaceOf,
    addAddress,
    attach: (vps) => plugIn(vps, privateNetwork, 'enp7s0', vps.privateAddress ?? ''),
  };
}

/**
 * Returns the network configuration of a VPS, which its provider passes to cloud-init: a public address with the
 * default route, and an address in the private network, to which the provider may attach the VPS later.
 */
export function networkConfig({ publicAddress, privateAddress }: VpsAddresses): object {
  const card = (address: string, rest: object) => ({
    match: { macaddress: macOf(address) },
    addresses: [`${address}/24`],
    ...rest,
  });
  return {
    version: 2,
    ethernets: {
      eth0: card(publicAddress, { routes: [{ to: '0.0.0.0/0', via: outside }] }),
      ...(privateAddress !== undefined && { enp7s0: card(privateAddress, { optional: true }) }),
    },
  };
}

function macOf(address: string): string {
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return ['96', '00', ...octets].join(':');
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
