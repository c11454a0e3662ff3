/**
 * The network of one scenario on Azure. This process runs in the network namespace that represents Azure, where a
 * bridge has the platform's addresses. Each host has its own network namespace.
 *
 * `boot.ts` gives this process new namespaces for network, mounts and processes, so that nothing outlives the scenario
 * or is visible outside it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The platform's addresses, from "What is IP address 168.63.129.16" and "Azure Instance Metadata Service"
 * (learn.microsoft.com).
 */
export const wireServer = '168.63.129.16';
export const metadataService = '169.254.169.254';

const gateway = '10.0.1.1';
const bridge = 'br0';

export interface NetworkHost {
  readonly name: string;
  readonly address: string;
}

export interface Network {
  /** Returns the path of the file that represents a host's network namespace. */
  namespaceOf(host: NetworkHost): string;
  /** Gives this process another address in the private network. */
  addAddress(address: string): void;
  /** Opens or closes the route between the host with the address `a` and the address `b`; throws if no host has `a`. */
  connect(a: string, b: string, connected: boolean): void;
  /** Plugs the network cable of a host in, or out: nothing answers at the address of a host that does not exist. */
  plug(host: NetworkHost, isPluggedIn: boolean): void;
  stop(): Promise<void>;
}

export async function startNetwork(dir: string, hosts: readonly NetworkHost[]): Promise<Network> {
  mkdirSync(dir, { recursive: true });
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', bridge, 'type', 'bridge');
  ip('link', 'set', bridge, 'up');
  for (const address of [`${gateway}/24`, `${metadataService}/32`, `${wireServer}/32`]) {
    ip('addr', 'add', address, 'dev', bridge);
  }
  const namespace = ({ name }: NetworkHost) => join(dir, `${name}.net`);
  for (const host of hosts) {
    plugIn(host, namespace(host));
  }
  const dhcp = await startDhcp(dir, hosts);
  return {
    namespaceOf: namespace,
    addAddress: (address) => ip('addr', 'add', `${address}/24`, 'dev', bridge),
    connect: (a, b, connected) => {
      const at = hosts.find(({ address }) => address === a);
      if (!at) {
        throw new Error(`No host has the address ${a}.`);
      }
      for (const [chain, side] of [
        ['INPUT', '-s'],
        ['OUTPUT', '-d'],
      ] as const) {
        const rule = [chain, side, b, '-j', 'DROP'];
        inNamespace(namespace(at), 'iptables', connected ? '-D' : '-I', ...rule);
      }
    },
    plug: (host, isPluggedIn) => ip('link', 'set', portOf(host), isPluggedIn ? 'up' : 'down'),
    stop: async () => {
      dhcp.kill();
      await once(dhcp, 'exit');
    },
  };
}

/**
 * Creates the network namespace of a host, and a pair of interfaces: eth0 in the namespace, and a port of the bridge.
 */
function plugIn(host: NetworkHost, namespace: string): void {
  writeFileSync(namespace, '');
  execFileSync('unshare', [`--net=${namespace}`, 'true']);
  const port = portOf(host);
  ip('link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace, 'address', macOf(host));
  ip('link', 'set', port, 'master', bridge, 'up');
  inNamespace(namespace, 'ip', 'link', 'set', 'lo', 'up');
}

function portOf({ address }: NetworkHost): string {
  return `veth-${address.split('.')[3]}`;
}

/**
 * Returns the MAC address of a host, made like the one in its metadata: Microsoft's prefix, then the last three octets
 * of the IP address.
 */
export function macOf({ address }: NetworkHost): string {
  const octets = address
    .split('.')
    .slice(1)
    .map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return ['00', '0d', '3a', ...octets].join(':');
}

/** Starts DHCP as in Azure, with the wire server in option 245 and routes to the platform's addresses in option 121. */
async function startDhcp(dir: string, hosts: readonly NetworkHost[]): Promise<ChildProcess> {
  const routes = [`0.0.0.0/0,${gateway}`, `${wireServer}/32,${gateway}`, `${metadataService}/32,${gateway}`];
  const wire = wireServer.split('.').map((octet) => Number(octet).toString(16));
  const child = spawn(
    'dnsmasq',
    [
      ...[
        '--keep-in-foreground',
        '--log-facility=-',
        '--conf-file=/dev/null',
        '--port=0',
        '--no-ping',
        `--interface=${bridge}`,
      ],
      ...['--dhcp-authoritative', `--dhcp-leasefile=${join(dir, 'leases')}`, '--user=root', '--pid-file='],
      ...['--dhcp-range=10.0.1.0,static,255.255.255.0,1h', `--dhcp-option=3,${gateway}`],
      ...[`--dhcp-option=121,${routes.join(',')}`, `--dhcp-option=245,${wire.join(':')}`],
      ...hosts.map((host) => `--dhcp-host=${macOf(host)},${host.address},infinite`),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]);
  if (child.exitCode !== null) {
    throw new Error('dnsmasq did not start.');
  }
  return child;
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function inNamespace(namespace: string, ...command: readonly string[]): void {
  execFileSync('nsenter', [`--net=${namespace}`, ...command], { stdio: ['ignore', 'ignore', 'inherit'] });
}
