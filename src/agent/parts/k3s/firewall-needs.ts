import { type K3sNode, nodeLabels } from '../../node.ts';
import type { Packet } from './firewall-rules.ts';
import { type Port, portsOf } from './ports.ts';

/** A way that K3s or NAT needs through the firewall of this host. */
export interface Need extends Packet {
  /** What is named in messages: `6443/tcp from every node`. */
  readonly what: string;
}

/** Returns the networks of pods and of services. */
export function clusterNetworks(node: K3sNode | undefined): readonly string[] {
  const config = node?.settings.k3s.config ?? {};
  const networks = [config['cluster-cidr'] ?? '10.42.0.0/16', config['service-cidr'] ?? '10.43.0.0/16'];
  return networks.flat().map(String);
}

/** Returns the ranges of private hosts that reach the outside through this node. */
export function natRanges(node: K3sNode | undefined): readonly string[] {
  return node?.settings.network.nat.from ?? [];
}

/** The ports of an ingress controller. No process of the host need hold them, since a redirection can lead to pods. */
const entry: readonly Port[] = [80, 443].map((number) => ({
  protocol: 'tcp',
  number,
  owner: 'the ingress controller',
  for: 'the internet',
}));

/** Returns the ports that a firewall of this host must let in. */
export function portsLetIn(node: K3sNode | undefined): readonly Port[] {
  const isIngress = node !== undefined && nodeLabels(node).includes('role=ingress');
  return [...portsOf(node), ...(isIngress ? entry : [])];
}

/** Returns every way that this node needs, by its role and by its peers. */
export function needsOf(node: K3sNode | undefined): readonly Need[] {
  const [pods = '10.42.0.0/16'] = clusterNetworks(node);
  return [
    ...portsLetIn(node).map(portNeed),
    { hook: 'forward', protocol: 'tcp', from: pods, what: `the network of pods, ${pods}` },
    ...natRanges(node).map(
      (from): Need => ({ hook: 'forward', protocol: 'tcp', from, what: `the private hosts of ${from}` }),
    ),
  ];
}

function portNeed({ protocol, number, for: peers }: Port): Need {
  return {
    hook: 'input',
    protocol,
    port: number,
    what: `${number}/${protocol} for ${peers.replace(/,$/, '')}`,
  };
}
