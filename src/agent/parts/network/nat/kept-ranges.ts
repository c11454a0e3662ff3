import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { advisory } from '../../../engine/severity.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import type { Settings } from '../../../settings/schema.ts';
import { natUnitPath } from './nat-files.ts';
import { listedRange, rangesIn } from './nat-rules.ts';

export type NatSettings = Pick<Settings, 'network' | 'consent'>;

/** The subject of consent.natRemoval for rules whose ranges are unknown because the rules file is lost. */
const unknownRanges = 'all';

/**
 * Returns the ranges in the rules file that network.nat.from no longer names and whose removal consent.natRemoval does
 * not allow.
 */
export async function keptRanges(
  host: HostReader,
  settings: NatSettings,
  paths: NodePaths,
): Promise<readonly string[]> {
  const wanted = settings.network.nat.from.map(listedRange);
  return rangesIn(await fileText(host, paths.slipway.nat)).filter(
    (range) => !wanted.includes(range) && !isConsented(settings, 'natRemoval', range),
  );
}

/**
 * Returns the ranges that keep NAT although network.nat.from is empty. If only the unit is left, the rules may still be
 * in the kernel: returns `all` then, unless consent.natRemoval allows it.
 */
export async function keptWithoutNat(
  host: HostReader,
  settings: NatSettings,
  paths: NodePaths,
): Promise<readonly string[]> {
  const hasRules = (await host.stat(paths.slipway.nat)) !== undefined;
  if (hasRules || (await host.stat(natUnitPath(paths))) === undefined) {
    return keptRanges(host, settings, paths);
  }
  return isConsented(settings, 'natRemoval', unknownRanges) ? [] : [unknownRanges];
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
