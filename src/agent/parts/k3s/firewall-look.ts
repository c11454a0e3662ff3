import { ok, skipped, type Verdict, warning } from '../../doctor/probe.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import type { Family } from './address-range.ts';
import { type FilterTable, listRules, type RuleLists } from './firewall-lists.ts';
import { howToFill, type Need, needsOf, nodes } from './firewall-needs.ts';
import { rejectionOf } from './firewall-rules.ts';
import type { NftFilter } from './nft-ruleset.ts';

/** The files from which iptables-persistent, which Oracle's images include, loads rules at boot. */
export const savedRules = {
  ipv4: '/etc/iptables/rules.v4',
  ipv6: '/etc/iptables/rules.v6',
} as const satisfies Record<Family, string>;

/** Packets that a rule or a policy rejects, and the command that allows them. */
export interface Closed {
  readonly need: Need;
  readonly by: string;
  readonly command: string;
}

/**
 * Returns a warning that lists each rule or policy of iptables and nftables that rejects packets this node needs, and
 * the commands that allow them. If nothing rejects them, returns `ok`, or `skipped` if some rules may not have been
 * listed. Ignores rules with conditions that the model does not cover. Below a root other than `/`, always returns
 * `skipped`.
 */
export async function lookAtRules(host: HostReader, node: K3sNode | undefined): Promise<Verdict> {
  if (node !== undefined && node.paths.root !== '/') {
    return skipped(`the rules are the machine's own, and not those of ${node.paths.root}`);
  }
  const needs = needsOf(node);
  const families = [...new Set(needs.map(({ family }) => family))];
  const rules = await listRules(host, families);
  const closed = needs.flatMap((need) => [
    ...closedByIptables(rules.iptables, need),
    ...closedByNft(rules, need),
  ]);
  if (closed.length === 0) {
    return rules.unseen === undefined
      ? ok('no rule of iptables or nftables rejects what K3s needs')
      : skipped(rules.unseen);
  }
  const commands = closed.map(({ command }) => command);
  const keep = await howToKeep(host, closed);
  const message = `${toldClosed(closed)}. A table of Slipway cannot allow what another one rejects.`;
  return warning(message, [...commands, ...howToFill(commands, node), keep].join('; '));
}

/** Returns the rule or policy of each of these tables that rejects the packets, with the command that allows them. */
export function closedByIptables(tables: readonly FilterTable[], need: Need): readonly Closed[] {
  const chain = need.hook.toUpperCase();
  const ofFamily = tables.filter(({ family }) => family === need.family);
  return ofFamily.flatMap(({ program, chains }) => {
    const rejection = rejectionOf(chains, chain, need);
    const start = `${program} -I ${chain} ${rejection?.position}`;
    return rejection ? [{ need, by: rejection.text, command: iptablesCommand(start, need) }] : [];
  });
}

/**
 * Returns the commands that insert rules before the rejecting one: a rule that accepts the packets and, for packets
 * from pods or private hosts, a rule that accepts the answers.
 */
function iptablesCommand(insert: string, { protocol, port, from, toPods, isPublic }: Need): string {
  if (from !== undefined) {
    return `${insert} -s ${from} -j ACCEPT; ${insert} -d ${from} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`;
  }
  const matches = toPods === undefined ? `-p ${protocol} --dport ${port}` : `-d ${toPods}`;
  return `${insert}${isPublic ? '' : ` -s ${nodes}`} ${matches} -j ACCEPT`;
}

function closedByNft({ nft }: RuleLists, need: Need): readonly Closed[] {
  return nft
    .filter(({ hook, families }) => hook === need.hook && families.includes(need.family))
    .flatMap((filter) => {
      const rejection = rejectionOf(filter.chains, filter.chain, need);
      return rejection
        ? [{ need, by: `${filter.table}: ${rejection.text}`, command: nftCommand(filter, need) }]
        : [];
    });
}

function nftCommand({ table, chain }: NftFilter, need: Need): string {
  const { family, protocol, port, from, toPods, isPublic } = need;
  const insert = `nft insert rule ${table} ${chain}`;
  const ip = family === 'ipv6' ? 'ip6' : 'ip';
  if (from !== undefined) {
    return `${insert} ${ip} saddr ${from} accept; ${insert} ${ip} daddr ${from} ct state established,related accept`;
  }
  const matches = toPods === undefined ? `${protocol} dport ${port}` : `${ip} daddr ${toPods}`;
  return `${insert}${isPublic ? '' : ` ${ip} saddr ${nodes}`} ${matches} accept`;
}

/** Returns a text that quotes each rule or policy, and names what it rejects. */
export function toldClosed(closed: readonly Closed[]): string {
  const rules = [...new Set(closed.map(({ by }) => by))];
  const told = rules.map((rule) => {
    const ways = closed.filter(({ by }) => by === rule).map(({ need }) => need.what);
    return `"${rule}" rejects ${ways.join('; ')}`;
  });
  return told.join('. ');
}

async function howToKeep(host: HostReader, closed: readonly Closed[]): Promise<string> {
  const files = [...new Set(closed.map(({ need }) => savedRules[need.family]))];
  const found = await Promise.all(files.map((path) => host.stat(path)));
  const present = files.filter((_, at) => found[at] !== undefined);
  return present.length > 0
    ? `add the same rules to ${present.join(' and ')} above the one that rejects, and do not save while K3s runs`
    : 'add the same rules to the file from which they are loaded at boot';
}
