import { isDeepStrictEqual } from 'node:util';
import { shownSettings } from '../settings/explain.ts';
import type { Loaded } from '../settings/load.ts';

/** One setting that another configuration has otherwise; `undefined` where it has none of that name. */
export interface ChangedSetting {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The settings in which two configurations differ, in the order of the schema. Secrets are not shown. */
export function changedSettings(
  before: Loaded | undefined,
  after: Loaded | undefined,
): readonly ChangedSetting[] {
  const [old, other] = [valuesOf(before), valuesOf(after)];
  const paths = [...new Set([...old.keys(), ...other.keys()])];
  return paths
    .map((path) => ({ path, before: old.get(path), after: other.get(path) }))
    .filter(({ before, after }) => !isDeepStrictEqual(before, after) && !isEmptied(before, after));
}

/** A map that was empty and has keys now is told by these. */
function isEmptied(before: unknown, after: unknown): boolean {
  const values = [before, after].filter((value) => value !== undefined);
  return values.length === 1 && isDeepStrictEqual(values[0], {});
}

function valuesOf(loaded: Loaded | undefined): ReadonlyMap<string, unknown> {
  return new Map((loaded ? shownSettings(loaded) : []).map(({ path, value }) => [path, value]));
}
