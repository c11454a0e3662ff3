import type { Family } from './address-range.ts';
import type { Chain, Chains, Packet, Rule } from './firewall-rules.ts';

/** A chain of nftables at a hook that packets of K3s pass, with all chains of its table. */
export interface NftFilter {
  /** The family and the name of the table, such as `inet filter`. */
  readonly table: string;
  /** The families whose packets the chain filters. */
  readonly families: readonly Family[];
  readonly chain: string;
  readonly hook: Packet['hook'];
  readonly chains: Chains;
}

/** Tables to ignore: those of kube-proxy and Slipway, and that of firewalld, for which firewall-cmd is queried. */
const ignored = /^(?:ip6? (?:kube-proxy|slipway_\w+)|inet (?:firewalld|slipway_\w+))$/;

/** The families of the packets that a table sees, by the family of the table. */
const families: ReadonlyMap<string, readonly Family[]> = new Map([
  ['ip', ['ipv4']],
  ['ip6', ['ipv6']],
  ['inet', ['ipv4', 'ipv6']],
]);

/** Returns the chains that filter packets to this host or through it, from the output of `nft list ruleset`. */
export function parseNftRuleset(text: string): readonly NftFilter[] {
  const tables = [...text.matchAll(/^table (\S+ \S+) \{(?: # [^\n]*)?\n([\s\S]*?)^\}/gm)];
  return tables
    .filter(([, name = '']) => !ignored.test(name))
    .flatMap(([, name = '', body = '']) => filtersOf(name, body));
}

function filtersOf(table: string, body: string): readonly NftFilter[] {
  const bodies = [...body.matchAll(/^\tchain (\S+) \{\n([\s\S]*?)^\t\}/gm)];
  const chains = new Map(bodies.map(([, name = '', lines = '']) => [name, parseChain(lines)]));
  return bodies.flatMap(([, chain = '', lines = '']) => {
    const [, hook] = /^\t\ttype filter hook (input|forward) /m.exec(lines) ?? [];
    const filtered = families.get(table.split(' ')[0] ?? '') ?? [];
    return hook === 'input' || hook === 'forward' ? [{ table, families: filtered, chain, hook, chains }] : [];
  });
}

function parseChain(lines: string): Chain {
  const [, policy] = /^\t\ttype .*\bpolicy (accept|drop);/m.exec(lines) ?? [];
  const rules = [...lines.matchAll(/^\t\t(?!type )(\S.*)$/gm)].map(([, rule = '']) => parseRule(rule));
  return { policy: policy === 'drop' ? 'reject' : policy === 'accept' ? 'accept' : undefined, rules };
}

/**
 * The patterns for the parts of a rule: conditions that the model compares with the packet, statements without a
 * verdict, and the verdict. Any other part makes the rule narrow.
 */
const parts = {
  ports: /\b(?:(tcp|udp)|th) dport (\{[^}]*\}|\S+)/,
  protocols: /\b(?:meta l4proto|ip protocol|ip6 nexthdr) (\{[^}]*\}|\w+)/,
  from: /\bip6? saddr (\{[^}]*\}|[\da-f:./-]+)(?!\S)/,
  to: /\bip6? daddr (\{[^}]*\}|[\da-f:./-]+)(?!\S)/,
  toPods: /\boif(?:name)? "cni0"|\bct status dnat\b/,
  nfproto: /\bmeta nfproto ipv[46]\b/,
  /**
   * Conditions for the source that the model does not cover: interfaces other than lo, cni0 and flannel's, negations
   * and sets.
   */
  unclear: /\b(?:ip6? saddr (?=!=|@)|iif(?:name)? (?!"(?:lo|cni0|flannel[^"]*)"))(?:!= )?(?:\{[^}]*\}|\S+)/g,
  states: /\bct state (\S+|\{[^}]*\})/,
  statements: /\bcounter(?: packets \d+ bytes \d+)?|\blog(?: prefix "[^"]*")?|\bcomment "[^"]*"/g,
  verdict: /\b(accept|drop|return|reject(?: with [\w -]+)?|(?:jump|goto) \S+)\s*$/,
};

/** Matches a condition that only packets of one family meet; captures a `6` if that family is IPv6. */
const ofFamily = /\b(?:ip(6?) (?:saddr|daddr|protocol|nexthdr)|meta nfproto ipv(?:(6)|4))\b/;

function parseRule(text: string): Rule {
  const bare = text.replace(parts.statements, '').trim();
  const [, word] = parts.verdict.exec(bare) ?? [];
  const [, transports] = parts.protocols.exec(bare) ?? [];
  const [, protocols = transports, ports] = parts.ports.exec(bare) ?? [];
  const [, from] = parts.from.exec(bare) ?? [];
  const [, to] = parts.to.exec(bare) ?? [];
  const [, states] = parts.states.exec(bare) ?? [];
  const { statements, ...conditions } = parts;
  const rest = Object.values(conditions).reduce((left, part) => left.replace(part, ''), bare);
  return {
    text,
    family: ruleFamily(bare),
    protocols: protocols === undefined ? undefined : elements(protocols),
    ports: ports === undefined ? undefined : elements(ports).map(portRange),
    from: from === undefined ? undefined : elements(from),
    to: to === undefined ? undefined : elements(to),
    isForPods: parts.toPods.test(bare),
    isSourceUnclear: bare.search(parts.unclear) >= 0,
    isNarrow: rest.trim() !== '' || (states !== undefined && !/\bnew\b/.test(states)),
    verdict: verdictOf(word),
  };
}

function ruleFamily(rule: string): Family | undefined {
  const found = ofFamily.exec(rule);
  return found ? ((found[1] || found[2]) === '6' ? 'ipv6' : 'ipv4') : undefined;
}

function elements(text: string): readonly string[] {
  return text
    .replace(/[{}]/g, '')
    .split(',')
    .map((each) => each.trim());
}

function portRange(text: string): readonly [number, number] {
  const [first, last = first] = text.split('-').map(Number);
  return [first ?? 0, last ?? 0];
}

function verdictOf(word: string | undefined): Rule['verdict'] {
  if (word === undefined || word === 'accept' || word === 'return') {
    return word;
  }
  const [, jump] = /^(?:jump|goto) (\S+)$/.exec(word) ?? [];
  return jump === undefined ? 'reject' : { jump };
}
