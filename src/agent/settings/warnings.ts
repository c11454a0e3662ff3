import { consentWarnings } from './consents.ts';
import type { Loaded } from './load.ts';

/** Returns warnings, one sentence or more each, about valid settings that may have an unexpected effect. */
export function settingsWarnings(loaded: Loaded): readonly string[] {
  return [...consentWarnings(loaded.settings), ...cloudWarnings(loaded)];
}

/**
 * Returns a warning if Slipway chose the cloud by its section in the settings, but the machine has a sign of another
 * cloud.
 */
export function cloudWarnings({ layers }: Pick<Loaded, 'layers'>): readonly string[] {
  return (layers.detected ?? []).flatMap(({ warning }) => (warning === undefined ? [] : [warning]));
}
