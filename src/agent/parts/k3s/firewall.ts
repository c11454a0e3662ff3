import { ok, type Probe, skipped, type Verdict, warning } from '../../doctor/probe.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { showUnit } from '../../resources/unit.ts';
import { lookAtRules } from './firewall-look.ts';
import { clusterNetworks, howToFill, isForInternet, natRanges, nodes, portsLetIn } from './firewall-needs.ts';
import type { Port } from './ports.ts';

/** What ufw or firewalld must allow: ports of this node, and ranges of pods, services and hosts that use NAT. */
interface Needs {
  readonly ports: readonly Port[];
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
    ports: portsLetIn(node),
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
    ...ports.map((port) => ({
      what: nameOf(port),
      query: [`--query-port=${nameOf(port)}`],
      add: isForInternet(port) ? `--add-port=${nameOf(port)}` : `--add-rich-rule='${richRule(port)}'`,
    })),
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
  const { stdout: rich } = await host.query({ file: 'firewall-cmd', args: ['--list-rich-rules'] });
  const isRich = (what: string) => ports.some((port) => nameOf(port) === what && isAccepted(rich, port));
  const missing = asks.filter(({ what }, at) => answers[at]?.exitCode !== 0 && !isRich(what));
  const commands = missing.map(({ add }) => `firewall-cmd --permanent ${add}`);
  return judgeFirewall(
    'firewalld',
    missing.map(({ what }) => what),
    [...commands, 'firewall-cmd --reload', 'restart K3s, whose rules a reload drops'],
  );
}

function nameOf({ number, protocol }: Port): string {
  return `${number}/${protocol}`;
}

function richRule({ number, protocol }: Port): string {
  return `rule family=ipv4 source address=${nodes} port port=${number} protocol=${protocol} accept`;
}

/** True if firewall-cmd lists a rich rule that accepts packets to the port. */
function isAccepted(rules: string, { number, protocol }: Port): boolean {
  const port = `port port="${number}" protocol="${protocol}"`;
  return rules.split('\n').some((rule) => rule.includes(port) && /\baccept\b/.test(rule));
}

async function lookAtUfw(host: HostReader, { ports, networks, routed }: Needs): Promise<Verdict> {
  const { stdout, exitCode } = await host.query({ file: 'ufw', args: ['status'] });
  if (exitCode !== 0) {
    return rulesUnseen('ufw');
  }
  const allowed = stdout.split('\n').filter((line) => /\bALLOW\b/.test(line));
  const isAllowed = (word: string) => allowed.some((line) => line.split(/\s+/).includes(word));
  const closed = ports.filter((port) => !isAllowed(nameOf(port)) && !isAllowed(String(port.number)));
  const foreign = networks.filter((range) => !isAllowed(range));
  const unrouted = routed.filter(
    (range) => !allowed.some((line) => line.includes('ALLOW FWD') && line.split(/\s+/).includes(range)),
  );
  const commands = [
    ...closed.map(ufwCommand),
    ...foreign.map((range) => `ufw allow from ${range} to any`),
    ...unrouted.map((range) => `ufw route allow from ${range}`),
  ];
  return judgeFirewall('ufw', [...closed.map(nameOf), ...foreign, ...unrouted], commands);
}

function ufwCommand(port: Port): string {
  return isForInternet(port)
    ? `ufw allow ${nameOf(port)}`
    : `ufw allow from ${nodes} to any port ${port.number} proto ${port.protocol}`;
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
    [...commands, ...howToFill(commands)].join('; '),
  );
}
