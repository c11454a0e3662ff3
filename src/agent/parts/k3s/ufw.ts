import { isIPv6 } from 'node:net';
import type { Verdict } from '../../doctor/probe.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import type { Family } from './address-range.ts';
import { judgeGrants, nameOf, rulesUnseen } from './firewall-grants.ts';
import {
  clusterNetworks,
  isForInternet,
  isIngress,
  natRanges,
  nodeFamily,
  nodes,
  podNetwork,
  portsLetIn,
} from './firewall-needs.ts';
import type { Port } from './ports.ts';

/** What a rule of ufw accepts. */
interface Accepted {
  readonly family: Family;
  readonly isRouted: boolean;
  readonly to: readonly string[];
  readonly from: readonly string[];
}

/** Something that K3s or NAT needs, and the command with which ufw allows it. */
interface Ask {
  readonly what: string;
  readonly command: string;
  readonly isMet: (rule: Accepted) => boolean;
}

/** The settings of ufw that apply to all of its rules. */
const defaults = '/etc/default/ufw';

/**
 * Checks that ufw allows packets to the ports of this node, from the networks of pods and services, and through this
 * host from hosts that use NAT. Checks forwarded packets of pods only if ufw rejects them by default: with the default
 * DROP, which is only the policy of the chain, the rules of K3s still accept them.
 */
export async function lookAtUfw(host: HostReader, node: K3sNode | undefined): Promise<Verdict> {
  const { stdout, exitCode } = await host.query({ file: 'ufw', args: ['status'] });
  if (exitCode !== 0) {
    return rulesUnseen('ufw');
  }
  const settings = (await host.readFile(defaults))?.content ?? '';
  const isSet = (name: string, value: string) =>
    new RegExp(`^${name}=["']?${value}["']?\\s*$`, 'im').test(settings);
  const rules = stdout.split('\n').flatMap(acceptedBy);
  const rejectsRouted = isSet('DEFAULT_FORWARD_POLICY', 'REJECT');
  const missing = [...asksOf(node), ...(rejectsRouted ? podAsks(node) : [])].filter(
    ({ isMet }) => !rules.some(isMet),
  );
  const withoutIPv6 = nodeFamily(node) === 'ipv6' && isSet('IPV6', 'no');
  const first = withoutIPv6 ? [`set IPV6=yes in ${defaults}`, 'ufw disable', 'ufw --force enable'] : [];
  return judgeGrants(
    'ufw',
    missing.map(({ what }) => what),
    [...first, ...missing.map(({ command }) => command)],
    node,
  );
}

/**
 * Parses a line of `ufw status`, which has three columns: to, action, from. A line for IPv6 contains `(v6)` or an IPv6
 * address. Returns nothing for a line that accepts no packets.
 */
function acceptedBy(line: string): readonly Accepted[] {
  const [, to = '', routed, from = ''] = /^(.*?)\s+ALLOW(?: IN| (FWD))?\s{2,}(.*)$/.exec(line) ?? [];
  const words = `${to} ${from}`.split(/\s+/);
  const isForIPv6 = line.includes('(v6)') || words.some((word) => isIPv6(word.split('/')[0] ?? ''));
  return from === ''
    ? []
    : [
        {
          family: isForIPv6 ? 'ipv6' : 'ipv4',
          isRouted: routed === 'FWD',
          to: to.split(/\s+/),
          from: from.split(/\s+/),
        },
      ];
}

function asksOf(node: K3sNode | undefined): readonly Ask[] {
  const family = nodeFamily(node);
  return [
    ...portsLetIn(node).map((port) => portAsk(port, family)),
    ...clusterNetworks(node).map((range) => ({
      what: range,
      command: `ufw allow from ${range} to any`,
      isMet: ({ isRouted, from }: Accepted) => !isRouted && from.includes(range),
    })),
    ...natRanges(node).map(routedAsk),
  ];
}

function portAsk(port: Port, family: Family): Ask {
  const { number, protocol } = port;
  return {
    what: nameOf(port),
    command: isForInternet(port)
      ? `ufw allow ${nameOf(port)}`
      : `ufw allow from ${nodes} to any port ${number} proto ${protocol}`,
    isMet: (rule) =>
      !rule.isRouted &&
      rule.family === family &&
      (rule.to.includes(nameOf(port)) || rule.to.includes(String(number))),
  };
}

function routedAsk(range: string): Ask {
  return {
    what: range,
    command: `ufw route allow from ${range}`,
    isMet: ({ isRouted, from }) => isRouted && from.includes(range),
  };
}

/** Returns the packets of pods that ufw must forward: those from pods, and those to their hostPorts and NodePorts. */
function podAsks(node: K3sNode | undefined): readonly Ask[] {
  const pods = podNetwork(node);
  return [
    { ...routedAsk(pods), what: `forwarded packets of ${pods}` },
    {
      what: `forwarded packets to ${pods}`,
      command: `ufw route allow ${isIngress(node) ? '' : `from ${nodes} `}to ${pods}`,
      isMet: ({ isRouted, to }) => isRouted && to.includes(pods),
    },
  ];
}
