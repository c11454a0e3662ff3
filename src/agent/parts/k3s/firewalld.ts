import type { Verdict } from '../../doctor/probe.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import type { Family } from './address-range.ts';
import { judgeGrants, nameOf, rulesUnseen } from './firewall-grants.ts';
import {
  clusterNetworks,
  isForInternet,
  natRanges,
  nodeFamily,
  nodes,
  portsLetIn,
} from './firewall-needs.ts';
import type { Port } from './ports.ts';

/**
 * Checks that firewalld accepts packets to the ports of this node, and trusts the networks of pods, of services and of
 * hosts that use NAT. Packets to hostPorts and NodePorts need no rule, because firewalld accepts forwarded packets
 * whose destination was translated.
 */
export async function lookAtFirewalld(host: HostReader, node: K3sNode | undefined): Promise<Verdict> {
  const [ports, family] = [portsLetIn(node), nodeFamily(node)];
  const asks = [
    ...ports.map((port) => ({
      what: nameOf(port),
      query: [`--query-port=${nameOf(port)}`],
      add: isForInternet(port) ? `--add-port=${nameOf(port)}` : `--add-rich-rule='${richRule(port, family)}'`,
    })),
    ...[...clusterNetworks(node), ...natRanges(node)].map((range) => ({
      what: range,
      query: ['--zone=trusted', `--query-source=${range}`],
      add: `--zone=trusted --add-source=${range}`,
    })),
  ];
  const answers = await Promise.all(
    asks.map(({ query }) => host.query({ file: 'firewall-cmd', args: query })),
  );
  // firewall-cmd(1) exits with 0 for yes, 1 for no, and a higher code for a failure, such as 253 (NOT_AUTHORIZED).
  if (answers.some(({ exitCode }) => exitCode > 1)) {
    return rulesUnseen('firewalld');
  }
  const { stdout: rich } = await host.query({ file: 'firewall-cmd', args: ['--list-rich-rules'] });
  const isRich = (what: string) =>
    ports.some((port) => nameOf(port) === what && isAccepted(rich, port, family));
  const missing = asks.filter(({ what }, at) => answers[at]?.exitCode !== 0 && !isRich(what));
  const commands = missing.map(({ add }) => `firewall-cmd --permanent ${add}`);
  return judgeGrants(
    'firewalld',
    missing.map(({ what }) => what),
    [...commands, 'firewall-cmd --reload', 'restart K3s, whose rules a reload drops'],
    node,
  );
}

function richRule({ number, protocol }: Port, family: Family): string {
  return `rule family=${family} source address=${nodes} port port=${number} protocol=${protocol} accept`;
}

/** True if a rich rule listed by firewall-cmd accepts packets of the family to the port. */
function isAccepted(rules: string, { number, protocol }: Port, family: Family): boolean {
  const port = `port port="${number}" protocol="${protocol}"`;
  return rules
    .split('\n')
    .filter((rule) => !/ family="/.test(rule) || rule.includes(` family="${family}"`))
    .some((rule) => rule.includes(port) && /\baccept\b/.test(rule));
}
