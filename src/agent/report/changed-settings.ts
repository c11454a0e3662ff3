import { isDeepStrictEqual } from 'node:util';
import { Secret } from '../engine/secret.ts';
import { shownSettings } from '../settings/explain.ts';
import type { Loaded } from '../settings/load.ts';

/** A setting that differs in another configuration; `undefined` on the side that lacks it. */
export interface ChangedSetting {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Returns the settings in which two configurations differ, in the order of the schema. Secrets are not shown. */
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

/** Secrets by what they hide, since one looks like the other. */
function isSame(before: unknown, after: unknown): boolean {
  if (before instanceof Secret && after instanceof Secret) {
    return before.reveal() === after.reveal();
  }
  return isDeepStrictEqual(before, after);
}

/** True for a map that was empty and has keys now, which are listed instead. */
function isEmptied(before: unknown, after: unknown): boolean {
  const values = [before, after].filter((value) => value !== undefined);
  return values.length === 1 && isDeepStrictEqual(values[0], {});
}

function valuesOf(loaded: Loaded | undefined): ReadonlyMap<string, unknown> {
  return new Map((loaded ? shownSettings(loaded) : []).map(({ path, value }) => [path, value]));
}
