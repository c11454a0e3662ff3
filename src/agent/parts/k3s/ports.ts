import { isIPv6 } from 'node:net';
import type { CloudHints } from '../../clouds/driver.ts';
import { failure, ok, type Probe, skipped, type Verdict } from '../../doctor/probe.ts';
import type { HostReader } from '../../engine/host.ts';
import { isServer, type K3sNode } from '../../node.ts';

export interface Port {
  readonly protocol: 'tcp' | 'udp';
  readonly number: number;
  /** The program that listens on the port. */
  readonly owner: string;
  /** The clients that must reach the port. */
  readonly for: string;
}

const kubelet: Port = { protocol: 'tcp', number: 10250, owner: 'kubelet', for: 'every node' };
const flannel: Port = { protocol: 'udp', number: 8472, owner: "flannel's vxlan", for: 'every node' };
const wireguard: Port = { ...flannel, number: 51820, owner: "flannel's wireguard" };
const wireguardOverIPv6: Port = { ...wireguard, number: 51821 };
const registry: Port = { protocol: 'tcp', number: 5001, owner: 'the embedded registry', for: 'every node' };
/** The ports of etcd, the datastore of several servers. */
const etcd: readonly Port[] = [2379, 2380].map((number) => ({
  protocol: 'tcp',
  number,
  owner: 'etcd',
  for: 'every other server',
}));
const supervisor: Port = {
  protocol: 'tcp',
  number: 6443,
  owner: 'the API',
  for: 'every node, and every user of kubectl,',
};

/**
 * Returns a probe for each port that the node needs. A probe fails if a program other than K3s listens on its port
 * (https://docs.k3s.io/installation/requirements, networking).
 */
export function portProbes(
  host: HostReader,
  node: K3sNode | undefined,
  { firewall }: Pick<CloudHints, 'firewall'>,
): readonly Probe[] {
  return portsOf(node).map((port) => ({
    about: 'machine',
    what: `port ${port.number}/${port.protocol}`,
    look: () => lookAtPort(host, port, firewall),
  }));
}

/** Returns the ports that the node needs; those of a server if the node is unknown. */
export function portsOf(node: K3sNode | undefined): readonly Port[] {
  const config = node?.settings.k3s.config ?? {};
  const isOn = (key: string) => String(config[key]) === 'true';
  const mayServe = node === undefined || isServer(node);
  const backend = mayServe ? String(config['flannel-backend'] ?? 'vxlan') : backendOfAgent(node);
  return [
    ...(mayServe ? [{ ...supervisor, number: Number(config['https-listen-port'] ?? 6443) }] : []),
    kubelet,
    ...networkPorts(backend, isIPv6(node?.address ?? '')),
    ...(mayServe && (isOn('cluster-init') || node?.settings.k3s.datastore === 'etcd') ? etcd : []),
    ...(mayServe && isOn('embedded-registry') ? [registry] : []),
  ];
}

/**
 * Guesses the flannel backend of an agent, because only the settings of the server name it. An agent has an external
 * address only if WireGuard connects nodes of several providers.
 */
function backendOfAgent({ externalAddress }: K3sNode): string {
  return externalAddress === undefined ? 'vxlan' : 'wireguard-native';
}

function networkPorts(backend: string, isOverIPv6: boolean): readonly Port[] {
  switch (backend) {
    case 'vxlan':
      return [flannel];
    case 'wireguard-native':
      return [isOverIPv6 ? wireguardOverIPv6 : wireguard];
    default:
      return [];
  }
}

async function lookAtPort(host: HostReader, port: Port, firewall: string): Promise<Verdict> {
  const { exitCode, stdout } = await host.query({
    file: 'ss',
    args: ['-H', '-l', '-n', '-p', port.protocol === 'tcp' ? '-t' : '-u', 'sport', '=', `:${port.number}`],
  });
  if (exitCode !== 0) {
    return skipped('ss (iproute2) cannot be asked who holds it');
  }
  const sockets = stdout.split('\n').filter((line) => line.trim() !== '');
  if (sockets.length === 0) {
    return ok(`no process holds it yet; ${port.owner} will`);
  }
  return judgePort(port, sockets.map(holderOf), firewall);
}

interface Holder {
  readonly address: string;
  /** The name of the process; absent for the kernel's own sockets, or if Slipway does not run as root. */
  readonly name: string | undefined;
  readonly pid: string | undefined;
}

/** Parses a line of ss(8): `LISTEN 0 4096 *:6443 *:* users:(("k3s-server",pid=812,fd=14))`. */
function holderOf(line: string): Holder {
  const [, , , address = ''] = line.trim().split(/\s+/);
  const [, name, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(line) ?? [];
  return { address, name, pid };
}

function judgePort(port: Port, holders: readonly Holder[], firewall: string): Verdict {
  const stranger = holders.find(({ name }) => name !== undefined && !name.startsWith('k3s'));
  if (stranger) {
    return failure(
      `${stranger.name} (pid ${stranger.pid}) holds it, and ${port.owner} needs it.`,
      `stop that program, or move it to another port: systemctl status ${stranger.pid}`,
    );
  }
  if (port.protocol === 'tcp' && holders.some(({ name }) => name === undefined)) {
    return skipped('it is held, and only root can see by which process');
  }
  const addresses = [...new Set(holders.map(({ address }) => address))].join(', ');
  return ok(`${port.owner} listens at ${addresses}; ${firewall} must let ${port.for} reach it`);
}
