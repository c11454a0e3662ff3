import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { advisory } from '../../../engine/severity.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import { containsRange } from '../../../settings/ipv4-range.ts';
import type { Settings } from '../../../settings/schema.ts';
import { nft } from '../nft-command.ts';
import { listTable } from '../own-table.ts';
import { natUnitPath } from './nat-files.ts';
import { isWholeNat, rangesIn } from './nat-rules.ts';
import { natTable } from './nat-table.ts';

export type NatSettings = Pick<Settings, 'network' | 'consent'>;

/** The subject of consent.natRemoval for rules with unknown ranges, because their file is lost or damaged. */
const unknownRanges = 'all';

/**
 * Returns the ranges that have NAT although no range in network.nat.from contains them and consent.natRemoval does not
 * name them.
 */
export async function keptRanges(
  host: HostReader,
  settings: NatSettings,
  paths: NodePaths,
): Promise<readonly string[]> {
  const { from } = settings.network.nat;
  const written = await writtenRanges(host, paths);
  const served = written === 'unknown' ? await loadedRanges(host) : written;
  return [...new Set(served)].filter(
    (range) =>
      !from.some((wanted) => containsRange(wanted, range)) && !isConsented(settings, 'natRemoval', range),
  );
}

/**
 * Returns the ranges that keep NAT although network.nat.from is empty. If the rules file is lost or damaged, its rules
 * may still be in the kernel, so returns only `all`, or nothing if consent.natRemoval names `all`.
 */
export async function keptWithoutNat(
  host: HostReader,
  settings: NatSettings,
  paths: NodePaths,
): Promise<readonly string[]> {
  if ((await writtenRanges(host, paths)) !== 'unknown') {
    return keptRanges(host, settings, paths);
  }
  return isConsented(settings, 'natRemoval', unknownRanges) ? [] : [unknownRanges];
}

/**
 * Returns the ranges in the rules file and, if part of the file is lost, also those in the kernel. Returns `unknown` if
 * the file names no range, or if it is missing although NAT's unit exists; an empty list if both are missing.
 */
async function writtenRanges(host: HostReader, paths: NodePaths): Promise<readonly string[] | 'unknown'> {
  const text = await fileText(host, paths.slipway.nat);
  const ranges = rangesIn(text);
  if (ranges.length > 0) {
    return isWholeNat(text) ? ranges : [...ranges, ...(await loadedRanges(host))];
  }
  const left = await Promise.all([paths.slipway.nat, natUnitPath(paths)].map((path) => host.stat(path)));
  return left.some((found) => found !== undefined) ? 'unknown' : [];
}

/** Returns the ranges in the rules that are loaded in the kernel; empty if nft, which lists the rules, is missing. */
async function loadedRanges(host: HostReader): Promise<readonly string[]> {
  const hasNft = (await host.stat(nft)) !== undefined;
  return hasNft ? rangesIn((await listTable(host, natTable)) ?? '') : [];
}

export function natKept(settings: NatSettings, kept: readonly string[]): NodeError {
  const ranges = kept.includes(unknownRanges) ? 'the ranges of slipway-nat.service' : kept.join(', ');
  return new NodeError(
    'NatKept',
    `network.nat no longer names ${ranges}, whose hosts may have no other way out, so this host still forwards and ` +
      `masquerades for them. Put ${ranges} back into network.nat.from, or, once they have another way out, ` +
      `${consentAdvice(settings, 'natRemoval', ...kept)}.`,
    advisory,
  );
}
