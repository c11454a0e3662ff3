import type { Metadata } from '../../clouds/driver.ts';
import { shortDigest } from '../../engine/digest.ts';
import { guardTable } from './guard-table.ts';
import { renderChain, renderTable } from './own-table.ts';

/** The guarded address, and the clients that may reach it. */
export interface GuardRules {
  /** The IPv4 address of the metadata service. */
  readonly address: string;
  /** The only guarded port of the address; absent to guard all ports. */
  readonly only?: Metadata['only'] | undefined;
  readonly allow: readonly Allowed[];
}

/** A client that may reach the address, by source address or by user id. */
export interface Allowed {
  readonly name: string;
  readonly from?: string | undefined;
  readonly uid?: number | undefined;
}

/**
 * Renders the rules as a file for `nft -f`, which replaces only our table, either completely or not at all.
 *
 * - Forwarded packets come from a pod or another container. The hook runs after dstnat and before masquerading, so the
 *   destination is the final one, and the source is that of the pod.
 * - Packets from this VM itself are matched by the user of their socket: root is Slipway, cloud-init and the agent of
 *   the VM. Packets without a socket are answers of the kernel, and pass.
 *
 * The name of the refusing chain contains the digest of all rules, so that a list of the table shows which rules it
 * contains. The rules refuse with a reset, which a client sees at once; after any other refusal it tries again for a
 * second.
 */
export function renderRuleset(rules: GuardRules): string {
  const comment = 'who may ask the instance metadata service for the identity of this VM.';
  return renderTable(guardTable, comment, renderChains(rules, rulesName(rules)));
}

/** Returns the name by which the rules appear in a list of the table. */
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
    renderChain(refuse, ['meta l4proto tcp reject with tcp reset', 'reject']),
    renderChain('forward', [hook('forward'), ...accepted, `${service} jump ${refuse}`]),
    renderChain('output', [hook('output'), `${service} meta skuid != { ${users} } jump ${refuse}`]),
  ].join('');
}

/** Returns the match for packets to the metadata service, in the form that nft also uses in its lists. */
function destination({ address, only }: GuardRules): string {
  return `ip daddr ${address}${only ? ` ${only.protocol} dport ${only.port}` : ''}`;
}

function hook(name: string): string {
  return `type filter hook ${name} priority 0; policy accept;`;
}

/**
 * Returns the name of the rules in the output of `nft list table`; `incomplete` if the table has fewer or more rules
 * than ours, or a rule for another address.
 */
export function listedRules(list: string, rules: GuardRules): string | undefined {
  const [first, second] = [...list.matchAll(/\bjump (refuse_[0-9a-f]+)$/gm)].map(([, name]) => name);
  const refusals = list.match(/\breject(?: with [\w -]+)?$/gm) ?? [];
  // The further lines of a long set have a deeper indentation, so they do not match.
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

/** Returns what the rules do, for the condition. */
export function keptFrom({ address, only, allow }: GuardRules): string {
  const port = only ? ` (${only.protocol} ${only.port})` : '';
  const names = allow.map(({ name }) => name).join(', ');
  return `pods are kept from ${address}${port}${names && `; let through: ${names}`}`;
}
