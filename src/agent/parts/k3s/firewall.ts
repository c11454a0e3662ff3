import { ok, type Probe, skipped, type Verdict, warning } from '../../doctor/probe.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { showUnit } from '../../resources/unit.ts';
import { lookAtRules } from './firewall-look.ts';
import { clusterNetworks, natRanges, portsLetIn } from './firewall-needs.ts';

/** What ufw or firewalld must allow: ports of this node, and ranges of pods, services and hosts that use NAT. */
interface Needs {
  /** Ports with their protocols, such as `6443/tcp`. */
  readonly ports: readonly string[];
  readonly networks: readonly string[];
  /** Ranges of other hosts whose packets this host forwards. */
  readonly routed: readonly string[];
}

/**
 * Checks that the rules of this host allow the packets that K3s and NAT need: the rules of ufw or firewalld if one of
 * them is active, otherwise all that iptables and nftables list (https://docs.k3s.io/installation/requirements).
 * Changes no rule.
 */
export function firewallProbe(host: HostReader, node: K3sNode | undefined): Probe {
  return { about: 'machine', what: 'host firewall', look: () => lookAtFirewalls(host, node) };
}

function grantsOf(node: K3sNode | undefined): Needs {
  return {
    ports: portsLetIn(node).map(({ number, protocol }) => `${number}/${protocol}`),
    networks: clusterNetworks(node),
    routed: natRanges(node),
  };
}

async function lookAtFirewalls(host: HostReader, node: K3sNode | undefined): Promise<Verdict> {
  const { ActiveState } = await showUnit(host, 'firewalld.service', ['ActiveState']);
  if (ActiveState === 'active') {
    return firewalld(host, grantsOf(node));
  }
  const ufw = await host.readFile('/etc/ufw/ufw.conf');
  if (ufw && /^ENABLED=["']?yes/im.test(ufw.content)) {
    return lookAtUfw(host, grantsOf(node));
  }
  return lookAtRules(host, node);
}

async function firewalld(host: HostReader, { ports, networks, routed }: Needs): Promise<Verdict> {
  const asks = [
    ...ports.map((port) => ({ what: port, query: [`--query-port=${port}`], add: `--add-port=${port}` })),
    ...[...networks, ...routed].map((range) => ({
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
  const missing = asks.filter((_, at) => answers[at]?.exitCode !== 0);
  const commands = missing.map(({ add }) => `firewall-cmd --permanent ${add}`);
  return judgeFirewall(
    'firewalld',
    missing.map(({ what }) => what),
    [...commands, 'firewall-cmd --reload', 'restart K3s, whose rules a reload drops'],
  );
}

async function lookAtUfw(host: HostReader, { ports, networks, routed }: Needs): Promise<Verdict> {
  const { stdout, exitCode } = await host.query({ file: 'ufw', args: ['status'] });
  if (exitCode !== 0) {
    return rulesUnseen('ufw');
  }
  const allowed = stdout.split('\n').filter((line) => /\bALLOW\b/.test(line));
  const isAllowed = (word: string) => allowed.some((line) => line.split(/\s+/).includes(word));
  const closed = ports.filter((port) => !isAllowed(port) && !isAllowed(port.replace(/\/.*/, '')));
  const foreign = networks.filter((range) => !isAllowed(range));
  const unrouted = routed.filter(
    (range) => !allowed.some((line) => line.includes('ALLOW FWD') && line.split(/\s+/).includes(range)),
  );
  const commands = [
    ...closed.map((port) => `ufw allow ${port}`),
    ...foreign.map((range) => `ufw allow from ${range} to any`),
    ...unrouted.map((range) => `ufw route allow from ${range}`),
  ];
  return judgeFirewall('ufw', [...closed, ...foreign, ...unrouted], commands);
}

/**
 * Returns the verdict on a firewall whose rules cannot be read, usually because only root may read them. Unread rules
 * are not reported as missing.
 */
function rulesUnseen(name: string): Verdict {
  return skipped(`${name} is active, and shows its rules to root only: run sudo slipway doctor`);
}

function judgeFirewall(name: string, missing: readonly string[], commands: readonly string[]): Verdict {
  if (missing.length === 0) {
    return ok(`${name} is active, and lets pass what K3s needs`);
  }
  return warning(
    `${name} is active and has no rule for ${missing.join(', ')}: nodes or pods may not reach each other.`,
    commands.join('; '),
  );
}
