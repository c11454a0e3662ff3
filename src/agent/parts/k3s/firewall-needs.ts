import { type K3sNode, nodeLabels } from '../../node.ts';
import type { Packet } from './firewall-rules.ts';
import { type Port, portsOf } from './ports.ts';

/** Packets of K3s or NAT that must pass the firewall of this host. */
export interface Need extends Packet {
  /** The name in messages, such as `6443/tcp for every node`. */
  readonly what: string;
  /** True if the internet must reach the port; otherwise only nodes of the cluster and their administrators. */
  readonly isPublic: boolean;
}

/**
 * Stands for the addresses of the nodes in a printed command. A command without a source would open the port to the
 * internet.
 */
export const nodes = 'RANGE-OF-THE-NODES';

/** Returns the instruction to replace the placeholder `nodes` if a command contains it; otherwise none. */
export function howToFill(commands: readonly string[]): readonly string[] {
  return commands.some((command) => command.includes(nodes))
    ? [`replace ${nodes} with the range of the nodes' addresses, such as 10.0.0.0/16`]
    : [];
}

/** Returns the networks of pods and of services, by default those of K3s. */
export function clusterNetworks(node: K3sNode | undefined): readonly string[] {
  const config = node?.settings.k3s.config ?? {};
  const networks = [config['cluster-cidr'] ?? '10.42.0.0/16', config['service-cidr'] ?? '10.43.0.0/16'];
  return networks.flat().map(String);
}

/** Returns the ranges of the private hosts that reach other networks through this node. */
export function natRanges(node: K3sNode | undefined): readonly string[] {
  return node?.settings.network.nat.from ?? [];
}

/** The clients of a port that is not restricted to the cluster. */
const internet = 'the internet';

/**
 * The ports of an ingress controller. Packets to these ports may be redirected to pods, so no process of the host need
 * listen there.
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
  const isIngress = node !== undefined && nodeLabels(node).includes('role=ingress');
  return [...portsOf(node), ...(isIngress ? entry : [])];
}

/**
 * Returns the packets that must pass: those to the ports of this node, and the forwarded ones of pods and of private
 * hosts.
 */
export function needsOf(node: K3sNode | undefined): readonly Need[] {
  const [pods = '10.42.0.0/16'] = clusterNetworks(node);
  return [
    ...portsLetIn(node).map((port) => portNeed(port, pods)),
    { hook: 'forward', protocol: 'tcp', from: pods, isPublic: false, what: `the network of pods, ${pods}` },
    ...natRanges(node).map(
      (from): Need => ({
        hook: 'forward',
        protocol: 'tcp',
        from,
        isPublic: false,
        what: `the private hosts of ${from}`,
      }),
    ),
  ];
}

/** True if the internet must reach the port. */
export function isForInternet({ for: peers }: Port): boolean {
  return peers === internet;
}

function portNeed(port: Port, pods: string): Need {
  const { protocol, number, for: peers } = port;
  return {
    hook: 'input',
    protocol,
    port: number,
    notFrom: ['127.0.0.0/8', pods],
    isPublic: isForInternet(port),
    what: `${number}/${protocol} for ${peers.replace(/,$/, '')}`,
  };
}
