import type { Probe, Verdict } from '../../doctor/probe.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { showUnit } from '../../resources/unit.ts';
import { lookAtRules } from './firewall-look.ts';
import { lookAtFirewalld } from './firewalld.ts';
import { lookAtUfw } from './ufw.ts';

/**
 * Checks that the rules of this host allow the packets that K3s and NAT need
 * (https://docs.k3s.io/installation/requirements). Checks the rules of firewalld or ufw if one of them is active;
 * otherwise all rules that iptables and nftables list. Changes no rule.
 */
export function firewallProbe(host: HostReader, node: K3sNode | undefined): Probe {
  return { about: 'machine', what: 'host firewall', look: () => lookAtFirewalls(host, node) };
}

async function lookAtFirewalls(host: HostReader, node: K3sNode | undefined): Promise<Verdict> {
  const { ActiveState } = await showUnit(host, 'firewalld.service', ['ActiveState']);
  if (ActiveState === 'active') {
    return lookAtFirewalld(host, node);
  }
  const ufw = await host.readFile('/etc/ufw/ufw.conf');
  if (ufw && /^ENABLED=["']?yes/im.test(ufw.content)) {
    return lookAtUfw(host, node);
  }
  return lookAtRules(host, node);
}
