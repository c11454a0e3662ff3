/**
 * The virtual network (VCN) of a scenario on Oracle Cloud: a public and a private subnet, with this process as router.
 * The router sends packets from the private subnet to the internet through the ingress node, as the route table in
 * packaging/terraform/oracle does. The private hosts have no other way out.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The address of the metadata service, which also serves DNS and NTP. */
export const metadataService = '169.254.169.254';

const internet = '203.0.113.0/24';
const subnets = { public: '10.0.1', private: '10.0.2' } as const;

export interface OracleHost {
  readonly name: string;
  readonly address: string;
}

export interface OracleNetwork {
  namespaceOf(name: string): string;
  /** Gives this process another address on the internet. */
  addAddress(address: string): void;
}

export function startOracleNetwork(
  dir: string,
  hosts: readonly OracleHost[],
  ingress: string,
): OracleNetwork {
  mkdirSync(dir, { recursive: true });
  ip('link', 'set', 'lo', 'up');
  for (const [bridge, subnet] of Object.entries(subnets)) {
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('link', 'set', bridge, 'up');
    ip('addr', 'add', `${subnet}.1/24`, 'dev', bridge);
  }
  ip('addr', 'add', `${metadataService}/32`, 'dev', 'lo');
  routeThrough(ingress);
  const namespaceOf = (name: string) => join(dir, `${name}.net`);
  for (const host of hosts) {
    plugIn(host, namespaceOf(host.name));
  }
  return { namespaceOf, addAddress: (address) => ip('addr', 'add', `${address}/32`, 'dev', 'lo') };
}

/**
 * Routes packets from the private subnet to the internet through the ingress node. Internet addresses are local
 * addresses of this process. Therefore, the routing rule must precede the rule for local addresses, and the kernel must
 * accept packets from the ingress node that have a local source address.
 */
function routeThrough(ingress: string): void {
  ip('rule', 'add', 'pref', '100', 'lookup', 'local');
  ip('rule', 'del', 'pref', '0');
  ip('rule', 'add', 'pref', '10', 'iif', 'private', 'to', internet, 'lookup', '77');
  ip('route', 'add', 'default', 'via', ingress, 'dev', 'public', 'table', '77');
  const settings = [
    'ip_forward=1',
    'conf.all.rp_filter=0',
    'conf.public.rp_filter=0',
    'conf.public.accept_local=1',
  ];
  execFileSync('sysctl', ['-qw', ...settings.map((setting) => `net.ipv4.${setting}`)]);
}

/**
 * Creates a host's network namespace and its interface in the subnet that contains its address; throws if no subnet
 * does.
 */
function plugIn({ name, address }: OracleHost, namespace: string): void {
  writeFileSync(namespace, '');
  execFileSync('unshare', [`--net=${namespace}`, 'ip', 'link', 'set', 'lo', 'up']);
  const [bridge] = Object.entries(subnets).find(([, subnet]) => address.startsWith(`${subnet}.`)) ?? [];
  if (bridge === undefined) {
    throw new Error(`No subnet has the address ${address}.`);
  }
  const peer = ['type', 'veth', 'peer', 'name', 'ens3', 'netns', namespace, 'address', macOf(address)];
  ip('link', 'add', `v-${name}`, ...peer);
  ip('link', 'set', `v-${name}`, 'master', bridge, 'up');
}

/** Returns the network configuration of a host, which cloud-init gets from Oracle Cloud. */
export function networkConfig({ address }: OracleHost): object {
  const ens3 = {
    match: { macaddress: macOf(address) },
    addresses: [`${address}/24`],
    routes: [{ to: '0.0.0.0/0', via: address.replace(/\d+$/, '1') }],
  };
  return { version: 2, ethernets: { ens3 } };
}

function macOf(address: string): string {
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return ['02', '00', ...octets].join(':');
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
