import { isIPv6 } from 'node:net';
import type { Metadata } from '../../clouds/driver.ts';
import { shortDigest } from '../../engine/digest.ts';
import { guardTable } from './guard-table.ts';
import { renderChain, renderTable } from './own-table.ts';

/** The guarded addresses, and the clients that may reach them. */
export interface GuardRules {
  readonly services: readonly GuardedService[];
  readonly allow: readonly Allowed[];
}

/** An address of the metadata service, IPv4 or IPv6 without brackets. */
export interface GuardedService {
  readonly address: string;
  /** The only port of the address to guard; absent to guard all ports. */
  readonly only?: Metadata['only'] | undefined;
}

/** A client that may reach the guarded addresses, identified by its source address or user id. */
export interface Allowed {
  readonly name: string;
  readonly from?: string | undefined;
  readonly uid?: number | undefined;
}

/**
 * Renders the rules as a file for `nft -f`, which replaces only the guard's table, either completely or not at all.
 *
 * - Forwarded packets come from a pod or another container. The hook runs after dstnat and before masquerading, so the
 *   destination is the final one, and the source is that of the pod.
 * - Packets from this VM itself are matched by the user of their socket. Root passes, since Slipway, cloud-init and the
 *   VM's agent run as root. Packets without a socket, which are replies of the kernel, also pass.
 *
 * The name of the refusing chain contains the digest of all rules, so that a listing of the table shows which rules it
 * contains. The rules refuse TCP with a reset, after which a client fails at once; after any other refusal, a client
 * retries for a second.
 */
export function renderRuleset(rules: GuardRules): string {
  const comment = 'who may ask the instance metadata service for the identity of this VM.';
  return renderTable(guardTable, comment, renderChains(rules, rulesName(rules)));
}

/** Returns the name of the refusing chain, which contains the digest of all rules. */
export function rulesName(rules: GuardRules): string {
  return `refuse_${shortDigest(renderChains(rules, 'refuse'))}`;
}

function renderChains({ services, allow }: GuardRules, refuse: string): string {
  const users = [...new Set([0, ...allow.flatMap(({ uid }) => uid ?? [])])].join(', ');
  const forwarded = services.flatMap((service) => [
    ...sourcesOf(service, allow).map(
      ({ name, from }) => `${destination(service)} ip saddr ${from} accept comment "${name}"`,
    ),
    `${destination(service)} jump ${refuse}`,
  ]);
  const own = services.map((service) => `${destination(service)} meta skuid != { ${users} } jump ${refuse}`);
  return [
    renderChain(refuse, ['meta l4proto tcp reject with tcp reset', 'reject']),
    renderChain('forward', [hook('forward'), ...forwarded]),
    renderChain('output', [hook('output'), ...own]),
  ].join('');
}

/**
 * Returns the allowed clients with a source address; empty for an IPv6 service, since these source addresses are IPv4.
 */
function sourcesOf({ address }: GuardedService, allow: GuardRules['allow']): GuardRules['allow'] {
  return isIPv6(address) ? [] : allow.filter(({ from }) => from !== undefined);
}

/** Returns the nft condition that matches packets to the metadata service, exactly as nft lists it. */
function destination({ address, only }: GuardedService): string {
  const family = isIPv6(address) ? 'ip6' : 'ip';
  return `${family} daddr ${address}${only ? ` ${only.protocol} dport ${only.port}` : ''}`;
}

function hook(name: string): string {
  return `type filter hook ${name} priority 0; policy accept;`;
}

/**
 * Returns the name of the refusing chain in the output of `nft list table`. Returns `incomplete` if the table lacks a
 * rule, has an additional rule or a rule for another address, or jumps to different chains.
 */
export function listedRules(list: string, { services, allow }: GuardRules): string | undefined {
  const [first, ...others] = [...list.matchAll(/\bjump (refuse_[0-9a-f]+)$/gm)].map(([, name]) => name);
  const refusals = list.match(/\breject(?: with [\w -]+)?$/gm) ?? [];
  // A long set continues on the next lines, which are indented deeper.
  const all = [...list.matchAll(/^\t\t(?!type )(\S.*)$/gm)].map(([, rule = '']) => rule);
  const isWhole = services.every((service) => {
    const judging = all.filter((rule) => isAbout(rule, service));
    return judging.length === sourcesOf(service, allow).length + jumpsEach;
  });
  const foreign = all.filter((rule) => !services.some((service) => isAbout(rule, service)));
  const isAlone = refusals.length === 2 && foreign.length === refusals.length;
  const isRefusing =
    others.length + 1 === services.length * jumpsEach && others.every((name) => name === first);
  return isWhole && isAlone && isRefusing ? first : 'incomplete';
}

/** The number of jumps per service: one for forwarded packets and one for packets from this VM. */
const jumpsEach = 2;

function isAbout(rule: string, service: GuardedService): boolean {
  return rule.startsWith(`${destination(service)} `);
}

/** Returns the condition's message: the guarded addresses, and the names of the allowed clients. */
export function keptFrom({ services, allow }: GuardRules): string {
  const guarded = services.map(
    ({ address, only }) => `${address}${only ? ` (${only.protocol} ${only.port})` : ''}`,
  );
  const names = allow.map(({ name }) => name).join(', ');
  return `pods are kept from ${guarded.join(' and ')}${names && `; let through: ${names}`}`;
}
