import { shortDigest } from '../../../engine/digest.ts';
import { renderChain, renderTable } from '../own-table.ts';
import { natTable } from './nat-table.ts';

/** Whose packets are masqueraded, and where. */
export interface NatRules {
  /** The ranges of the private hosts. */
  readonly from: readonly string[];
  /** Destinations that see the private hosts by their own addresses. */
  readonly except: readonly string[];
  /** The interface that leads outside. */
  readonly outside: string;
}

/**
 * Renders the rules as a file for `nft -f`.
 *
 * Only packets of the private ranges are masqueraded, and only on their way outside: pods are masqueraded by K3s'
 * network, and traffic between the private ranges keeps its addresses. The interface is matched by its name, which
 * holds for an interface that comes later.
 */
export function renderNat(rules: NatRules): string {
  const hook = 'type nat hook postrouting priority 100; policy accept;';
  const chain = renderChain('postrouting', [hook, ...natLines(rules)]);
  return renderTable(natTable, 'private hosts that reach the outside through this one.', chain);
}

/** Returns the name of the rules in a list of the table. */
export function natName(rules: NatRules): string {
  return shortDigest(natLines(rules).join('\n'));
}

/** Returns the rules in the form in which nft also lists them. */
function natLines({ from, except, outside }: NatRules): readonly string[] {
  const spared = [...new Set([...from, ...except].map(listedRange))];
  return [
    `oifname != "${outside}" return`,
    ...spared.map((range) => `ip daddr ${range} return`),
    ...[...new Set(from.map(listedRange))].map((range) => `ip saddr ${range} masquerade`),
  ];
}

/** Returns the name of the rules in the output of `nft list table`; `incomplete` without the hook. */
export function listedNat(list: string): string {
  const lines = [...list.matchAll(/^\t\t(\S.*)$/gm)].map(([, line = '']) => line);
  const [hook = '', ...rules] = lines;
  // 100 by its number or by its name: nft(8), standard priority names.
  const isHooked = /^type nat hook postrouting priority (?:100|srcnat); policy accept;$/.test(hook);
  return isHooked ? shortDigest(rules.join('\n')) : 'incomplete';
}

/** Returns the private ranges in a file with such rules. */
export function rangesIn(text: string): readonly string[] {
  return [...text.matchAll(/^\t\tip saddr (\S+) masquerade$/gm)].map(([, range = '']) => range);
}

/** Returns the outside interface in a file with such rules. */
export function outsideIn(text: string): string | undefined {
  return /^\t\toifname != "([^"]+)" return$/m.exec(text)?.[1];
}

/** Returns an IPv4 range or address as nft lists it: by its first address, and without `/32`. */
export function listedRange(range: string): string {
  const [address = '', length = '32'] = range.split('/');
  const bits = Number(length);
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  const number = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const first = (number & mask) >>> 0;
  const octets = [24, 16, 8, 0].map((shift) => (first >>> shift) & 255).join('.');
  return bits === 32 ? octets : `${octets}/${bits}`;
}
