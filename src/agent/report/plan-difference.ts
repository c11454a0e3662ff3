import { isDeepStrictEqual } from 'node:util';
import { shownSettings } from '../settings/explain.ts';
import type { Loaded } from '../settings/load.ts';
import { isError, type PlannedStep, stepLines } from './plan-text.ts';

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

/** The steps that the other plan does not have in the same words; and whatever keeps both from being a plan. */
export function onlyIn(steps: readonly PlannedStep[], other: readonly PlannedStep[]): readonly PlannedStep[] {
  const known = new Map(other.map((step) => [step.outcome.resource.id, stepLines(step)]));
  const isKnown = (step: PlannedStep) =>
    isDeepStrictEqual(stepLines(step), known.get(step.outcome.resource.id));
  return steps.filter((step) => isError(step) || !isKnown(step));
}
