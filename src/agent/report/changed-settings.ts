import { isDeepStrictEqual } from 'node:util';
import { Secret } from '../engine/secret.ts';
import { shownSettings } from '../settings/explain.ts';
import type { Loaded } from '../settings/load.ts';

/** A setting that differs between two configurations. A value is `undefined` if its configuration lacks the setting. */
export interface ChangedSetting {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * Returns the settings that differ between two configurations, without showing secrets: the settings of `before` in the
 * order of the schema, then those that only `after` has.
 */
export function changedSettings(
  before: Loaded | undefined,
  after: Loaded | undefined,
): readonly ChangedSetting[] {
  const [old, other] = [valuesOf(before), valuesOf(after)];
  const paths = [...new Set([...old.keys(), ...other.keys()])];
  return paths
    .map((path) => ({ path, before: old.get(path), after: other.get(path) }))
    .filter(({ before, after }) => !isSame(before, after) && !isEmptied(before, after));
}

/**
 * True if two values are equal. Compares Secrets by their texts, since `isDeepStrictEqual` does not compare private
 * fields.
 */
function isSame(before: unknown, after: unknown): boolean {
  if (before instanceof Secret && after instanceof Secret) {
    return before.reveal() === after.reveal();
  }
  return isDeepStrictEqual(before, after);
}

/**
 * True if one value is an empty map and the other is missing: a map with entries is listed only by its keys, so it has
 * no value of its own.
 */
function isEmptied(before: unknown, after: unknown): boolean {
  const values = [before, after].filter((value) => value !== undefined);
  return values.length === 1 && isDeepStrictEqual(values[0], {});
}

function valuesOf(loaded: Loaded | undefined): ReadonlyMap<string, unknown> {
  return new Map((loaded ? shownSettings(loaded) : []).map(({ path, value }) => [path, value]));
}
