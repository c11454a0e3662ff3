import { shortDigest } from '../../../engine/digest.ts';
import { listedRange } from '../../../settings/ipv4-range.ts';
import { renderChain, renderTable } from '../own-table.ts';
import { natTable } from './nat-table.ts';

/** The packets to masquerade: those from private ranges that leave through the outside interface. */
export interface NatRules {
  /** The ranges of the private hosts. */
  readonly from: readonly string[];
  /** Destinations to which packets keep their source addresses. */
  readonly except: readonly string[];
  /** The interface through which masqueraded packets leave. */
  readonly outside: string;
}

/**
 * Renders the rules as a file for `nft -f`.
 *
 * Masquerades only packets from the private ranges that leave through the outside interface: K3s masquerades pods, and
 * traffic between the private ranges keeps its source addresses. Matches the interface by name, so that the rules also
 * apply to an interface that appears later.
 */
export function renderNat(rules: NatRules): string {
  const hook = 'type nat hook postrouting priority 100; policy accept;';
  const chain = renderChain('postrouting', [hook, ...natLines(rules)]);
  return renderTable(natTable, 'private hosts that reach the outside through this one.', chain);
}

/**
 * Returns the digest of the rules; `listedNat` returns the same digest for a table that contains exactly these rules.
 */
export function natName(rules: NatRules): string {
  return shortDigest(natLines(rules).join('\n'));
}

/** Returns the rules exactly as nft lists them. */
function natLines({ from, except, outside }: NatRules): readonly string[] {
  const spared = [...new Set([...from, ...except].map(listedRange))];
  return [
    `oifname != "${outside}" return`,
    ...spared.map((range) => `ip daddr ${range} return`),
    ...[...new Set(from.map(listedRange))].map((range) => `ip saddr ${range} masquerade`),
  ];
}

/**
 * Returns the digest of the rules in the output of `nft list table`; `incomplete` if its first line is not the expected
 * hook.
 */
export function listedNat(list: string): string {
  const lines = [...list.matchAll(/^\t\t(\S.*)/gm)].map(([, line = '']) => line);
  const [hook = '', ...rules] = lines;
  // nft lists priority 100 as a number or as `srcnat` (nft(8), standard priority names).
  const isHooked = /^type nat hook postrouting priority (?:100|srcnat); policy accept;$/.test(hook);
  return isHooked ? shortDigest(rules.join('\n')) : 'incomplete';
}

/**
 * Returns the private ranges in a file that `renderNat` rendered, or in the output of `nft list table`; may be empty.
 */
export function rangesIn(text: string): readonly string[] {
  return [...text.matchAll(/^\t\tip saddr (\S+) masquerade$/gm)].map(([, range = '']) => range);
}

/** Returns the outside interface in a file that `renderNat` rendered; `undefined` if the file does not name one. */
export function outsideIn(text: string): string | undefined {
  return /^\t\toifname != "([^"]+)" return$/m.exec(text)?.[1];
}

/**
 * True if `renderNat` would render the same file from the ranges, destinations and interface that the file contains.
 * False if a line or the end of the file is lost, except that the loss of only the last `masquerade` line goes
 * unnoticed.
 */
export function isWholeNat(text: string): boolean {
  const outside = outsideIn(text);
  const except = [...text.matchAll(/^\t\tip daddr (\S+) return$/gm)].map(([, range = '']) => range);
  return outside !== undefined && renderNat({ from: rangesIn(text), except, outside }) === text;
}
