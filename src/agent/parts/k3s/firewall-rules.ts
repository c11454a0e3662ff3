/** A model of packet filter rules, detailed enough to decide whether they reject a packet that K3s needs. */

import { contains, type Family } from './address-range.ts';

/** The first packet of a connection that K3s needs. */
export interface Packet {
  /** `input` for a packet to this host, `forward` for a packet through it. */
  readonly hook: 'input' | 'forward';
  readonly family: Family;
  readonly protocol: 'tcp' | 'udp';
  /** The destination port; absent for any port. */
  readonly port?: number;
  /** The range of the source address; absent if the source is unknown. */
  readonly from?: string;
  /** Ranges from which the packet cannot come; only for a packet with an unknown source. */
  readonly notFrom?: readonly string[];
  /** The network of pods, if a port of this host leads the packet to a pod; otherwise absent. */
  readonly toPods?: string;
}

export interface Rule {
  readonly text: string;
  /** The family to which the rule is restricted; absent if the rule applies to every family of its table. */
  readonly family?: Family | undefined;
  /** The protocols that match; absent for any protocol. */
  readonly protocols?: readonly string[] | undefined;
  readonly ports?: readonly (readonly [first: number, last: number])[] | undefined;
  readonly from?: readonly string[] | undefined;
  /** The ranges of the destination address; absent for any destination. */
  readonly to?: readonly string[] | undefined;
  /**
   * True if the rule applies only to packets that leave through the pods' interface or whose destination was
   * translated.
   */
  readonly isForPods: boolean;
  /**
   * True if the rule restricts the source by a condition that the model does not cover, such as an interface or a set.
   */
  readonly isSourceUnclear: boolean;
  /** True if the rule has conditions that the first packet of a connection may not meet. */
  readonly isNarrow: boolean;
  readonly verdict: 'accept' | 'reject' | 'return' | { readonly jump: string } | undefined;
}

export interface Chain {
  /** The verdict if no rule decides; absent for a chain that only the jumps of other chains reach. */
  readonly policy?: 'accept' | 'reject' | undefined;
  readonly rules: readonly Rule[];
}

/** The chains of a table, by name. */
export type Chains = ReadonlyMap<string, Chain>;

/**
 * A rule, as its program lists it, or a policy that rejects a packet. The position is that of the rule, or of the jump
 * that leads to it, in the chain of the hook, counted from 1. The position of a policy is one after the last rule.
 */
export interface Rejection {
  readonly text: string;
  readonly position: number;
}

/** The maximum depth of jumps, as in the kernel (nf_tables.h, NFT_JUMP_STACK_SIZE). */
const deepest = 16;

/**
 * Returns the rule or policy of this chain that rejects a packet; `undefined` if the chain accepts the packet or is
 * missing.
 *
 * If the source of the packet is unknown, a rule that is restricted to particular sources applies only if it accepts,
 * and only if the packet can come from one of them. If such a rule rejects, or jumps to a chain that rejects, the
 * rejection is ignored.
 */
export function rejectionOf(chains: Chains, name: string, packet: Packet): Rejection | undefined {
  const chain = chains.get(name);
  const found = chain && firstVerdict(chains, chain, packet, deepest);
  if (found !== undefined) {
    return found.verdict === 'reject' ? { text: found.text, position: found.position } : undefined;
  }
  const end = (chain?.rules.length ?? 0) + 1;
  return chain?.policy === 'reject' ? { text: `the policy of ${name}`, position: end } : undefined;
}

interface Found extends Rejection {
  readonly verdict: 'accept' | 'reject';
}

function firstVerdict(chains: Chains, chain: Chain, packet: Packet, depth: number): Found | undefined {
  for (const [at, rule] of chain.rules.entries()) {
    const { verdict } = rule;
    if (verdict === undefined || !applies(rule, packet)) {
      continue;
    }
    if (verdict === 'return') {
      return undefined;
    }
    if (verdict === 'accept' || verdict === 'reject') {
      return { verdict, text: rule.text, position: at + 1 };
    }
    const target = depth > 0 ? chains.get(verdict.jump) : undefined;
    const inside = target && firstVerdict(chains, target, packet, depth - 1);
    if (inside?.verdict === 'accept' || (inside && isCertain(rule, packet))) {
      return { ...inside, position: at + 1 };
    }
  }
  return undefined;
}

function applies(rule: Rule, packet: Packet): boolean {
  const isMet = !rule.isNarrow && isForTransport(rule, packet) && isForDestination(rule, packet);
  return isMet && (isCertain(rule, packet) || (packet.from === undefined && mayAccept(rule, packet)));
}

function isForTransport(rule: Rule, { family, protocol, port }: Packet): boolean {
  if (rule.family !== undefined && rule.family !== family) {
    return false;
  }
  const isPort = ([first, last]: readonly [number, number]) =>
    port !== undefined && port >= first && port <= last;
  return (rule.protocols?.includes(protocol) ?? true) && (rule.ports?.some(isPort) ?? true);
}

function isForDestination({ to, isForPods }: Rule, { toPods }: Packet): boolean {
  if (toPods === undefined) {
    return to === undefined && !isForPods;
  }
  return to?.some((range) => contains(range, toPods)) ?? true;
}

/** True if the packet certainly meets the conditions of the rule for the source. */
function isCertain({ from: sources, isSourceUnclear }: Rule, { from }: Packet): boolean {
  const isMet = sources?.some((range) => from !== undefined && contains(range, from)) ?? true;
  return isMet && !isSourceUnclear;
}

/** True unless the rule rejects, or accepts only sources from which the packet cannot come. */
function mayAccept({ verdict, from }: Rule, { notFrom = [] }: Packet): boolean {
  const isOther = from?.every((range) => notFrom.some((own) => contains(own, range))) ?? false;
  return verdict !== 'reject' && !isOther;
}
