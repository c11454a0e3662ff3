import { type K3sNode, nodeLabels } from '../../node.ts';
import { type Family, familyOf } from './address-range.ts';
import type { Packet } from './firewall-rules.ts';
import { type Port, portsOf } from './ports.ts';

/** Packets that the firewall of this host must let pass, because K3s or NAT needs them. */
export interface Need extends Packet {
  /** The name in messages, such as `6443/tcp for every node`. */
  readonly what: string;
  /** True if the internet must reach the port; false if only the cluster's nodes and administrators must reach it. */
  readonly isPublic: boolean;
}

/**
 * Stands for the addresses of the nodes in a printed command: a command without a source would open the port to the
 * internet.
 */
export const nodes = 'RANGE-OF-THE-NODES';

/** Returns the instruction to replace the placeholder for the nodes' addresses; empty if no command contains it. */
export function howToFill(commands: readonly string[], node: K3sNode | undefined): readonly string[] {
  const example = nodeFamily(node) === 'ipv6' ? 'fd00:1::/64' : '10.0.0.0/16';
  return commands.some((command) => command.includes(nodes))
    ? [`replace ${nodes} with the range of the nodes' addresses, such as ${example}`]
    : [];
}

/** Returns the address family of the node and its pods, which have only one; IPv4 if the node is unknown. */
export function nodeFamily(node: K3sNode | undefined): Family {
  return familyOf(node?.address ?? '');
}

/** Returns the networks of pods and of services; by default, those that K3s uses for the family of the node. */
export function clusterNetworks(node: K3sNode | undefined): readonly string[] {
  const config = node?.settings.k3s.config ?? {};
  const [pods, services] = usual[nodeFamily(node)];
  return [config['cluster-cidr'] ?? pods, config['service-cidr'] ?? services].flat().map(String);
}

/** The default networks of pods and of services (k3s, pkg/cli/server, cluster-cidr and service-cidr). */
const usual = {
  ipv4: ['10.42.0.0/16', '10.43.0.0/16'],
  ipv6: ['fd00:42::/56', 'fd00:43::/112'],
} as const satisfies Record<Family, readonly [pods: string, services: string]>;

/** Returns the network of pods. */
export function podNetwork(node: K3sNode | undefined): string {
  return clusterNetworks(node)[0] ?? '';
}

/** Returns the ranges of the private hosts that reach other networks through this node. */
export function natRanges(node: K3sNode | undefined): readonly string[] {
  return node?.settings.network.nat.from ?? [];
}

/** The clients of a port that is not restricted to the cluster. */
const internet = 'the internet';

/**
 * The ports of an ingress controller. No process needs to listen on them, because their packets may be redirected to
 * pods.
 */
const entry: readonly Port[] = [80, 443].map((number) => ({
  protocol: 'tcp',
  number,
  owner: 'the ingress controller',
  for: internet,
}));

/**
 * Returns the ports that a firewall of this host must open: those of K3s and, on a node with the label `role=ingress`,
 * those of an ingress controller.
 */
export function portsLetIn(node: K3sNode | undefined): readonly Port[] {
  return [...portsOf(node), ...(isIngress(node) ? entry : [])];
}

/** True if the node runs an ingress controller for the internet: it has the label `role=ingress`. */
export function isIngress(node: K3sNode | undefined): boolean {
  return node !== undefined && nodeLabels(node).includes('role=ingress');
}

/**
 * Returns the packets that must pass: packets to the ports of this node, and forwarded packets, which come from pods
 * and private hosts, or go to a pod through a hostPort or a NodePort of this node.
 */
export function needsOf(node: K3sNode | undefined): readonly Need[] {
  const [family, pods] = [nodeFamily(node), podNetwork(node)];
  const notFrom = [...local[family], pods];
  const isPublic = isIngress(node);
  return [
    ...portsLetIn(node).map((port) => portNeed(port, { family, notFrom })),
    forwardNeed(pods, `the network of pods, ${pods}`),
    {
      ...{ hook: 'forward', family, protocol: 'tcp', toPods: pods, notFrom, isPublic },
      what: `hostPorts and NodePorts for ${isPublic ? internet : 'every node'}`,
    },
    ...natRanges(node).map((from) => forwardNeed(from, `the private hosts of ${from}`)),
  ];
}

/** The ranges of loopback and link-local addresses, which no node has as its own. */
const local = {
  ipv4: ['127.0.0.0/8', '169.254.0.0/16'],
  ipv6: ['::1', 'fe80::/10'],
} as const satisfies Record<Family, readonly string[]>;

function forwardNeed(from: string, what: string): Need {
  return { hook: 'forward', family: familyOf(from), protocol: 'tcp', from, isPublic: false, what };
}

/** True if the internet must reach the port. */
export function isForInternet({ for: peers }: Port): boolean {
  return peers === internet;
}

function portNeed(port: Port, around: Pick<Need, 'family' | 'notFrom'>): Need {
  const { protocol, number, for: peers } = port;
  return {
    ...around,
    hook: 'input',
    protocol,
    port: number,
    isPublic: isForInternet(port),
    what: `${number}/${protocol} for ${peers.replace(/,$/, '')}`,
  };
}
