import type { Metadata } from '../../clouds/driver.ts';
import { shortDigest } from '../../engine/digest.ts';
import { guardTable } from './nft-command.ts';

/** Which address is guarded, and what may reach it. */
export interface GuardRules {
  /** The IPv4 address of the metadata service. */
  readonly address: string;
  /** One port of that address; all of it if absent. */
  readonly only?: Metadata['only'] | undefined;
  readonly allow: readonly Allowed[];
}

/** What is let through, by source address or by user id. */
export interface Allowed {
  readonly name: string;
  readonly from?: string | undefined;
  readonly uid?: number | undefined;
}

/**
 * Renders the rules as a file for `nft -f`, which replaces our table and no other, all at once or not at all.
 *
 * - Forwarded packets come from a pod or another container. The hook is behind dstnat and before masquerading, so the
 *   address is the packet's final one, and the source is the pod's own.
 * - Packets that this VM sends itself are judged by the user of their socket: root is Slipway, cloud-init and the VM's
 *   agent. Packets without a socket are answers of the kernel, and pass.
 *
 * The chain that refuses is named for the digest of all rules, so that a list of the table shows which rules it has. A
 * client sees a reset at once, but tries again for a second after any other refusal.
 */
export function renderRuleset(rules: GuardRules): string {
  const name = guardTable.join(' ');
  return `# Written by Slipway: who may ask the instance metadata service for the identity of this VM.
table ${name}
delete table ${name}
table ${name} {
${renderChains(rules, rulesName(rules))}}
`;
}

/** Returns the name of the rules in a list of the table. */
export function rulesName(rules: GuardRules): string {
  return `refuse_${shortDigest(renderChains(rules, 'refuse'))}`;
}

function renderChains(rules: GuardRules, refuse: string): string {
  const { allow } = rules;
  const service = destination(rules);
  const accepted = allow
    .filter(({ from }) => from !== undefined)
    .map(({ name, from }) => `${service} ip saddr ${from} accept comment "${name}"`);
  const users = [...new Set([0, ...allow.flatMap(({ uid }) => uid ?? [])])].join(', ');
  return [
    ...chain(refuse, ['meta l4proto tcp reject with tcp reset', 'reject']),
    ...chain('forward', [hook('forward'), ...accepted, `${service} jump ${refuse}`]),
    ...chain('output', [hook('output'), `${service} meta skuid != { ${users} } jump ${refuse}`]),
  ].join('');
}

/** Matches a packet to the metadata service, in the form in which nft also lists it. */
function destination({ address, only }: GuardRules): string {
  return `ip daddr ${address}${only ? ` ${only.protocol} dport ${only.port}` : ''}`;
}

function hook(name: string): string {
  return `type filter hook ${name} priority 0; policy accept;`;
}

function chain(name: string, lines: readonly string[]): readonly string[] {
  return [`\tchain ${name} {\n`, ...lines.map((line) => `\t\t${line}\n`), '\t}\n'];
}

/**
 * Returns the name of the rules in a list of the table (`nft list table`); `incomplete` if it has fewer or more rules
 * than ours, or one about another address.
 */
export function listedRules(list: string, rules: GuardRules): string | undefined {
  const [first, second] = [...list.matchAll(/\bjump (refuse_[0-9a-f]+)$/gm)].map(([, name]) => name);
  const refusals = list.match(/\breject(?: with [\w -]+)?$/gm) ?? [];
  // A long set continues on further lines, which are indented deeper.
  const all = [...list.matchAll(/^\t\t(?!type )(\S.*)$/gm)].map(([, rule = '']) => rule);
  const judging = all.filter((rule) => rule.startsWith(`${destination(rules)} `));
  const jumps = 2;
  const accepts = rules.allow.filter(({ from }) => from !== undefined).length;
  const isWhole =
    refusals.length === 2 &&
    judging.length === accepts + jumps &&
    all.length === judging.length + refusals.length;
  return first === second && isWhole ? first : 'incomplete';
}
