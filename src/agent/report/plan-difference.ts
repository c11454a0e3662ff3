import { isDeepStrictEqual } from 'node:util';
import { isError, type PlannedStep, stepLines } from './plan-text.ts';

/** The steps that the other plan does not have in the same words; and whatever keeps both from being a plan. */
export function onlyIn(steps: readonly PlannedStep[], other: readonly PlannedStep[]): readonly PlannedStep[] {
  const known = new Map(other.map((step) => [step.outcome.resource.id, stepLines(step)]));
  const isKnown = (step: PlannedStep) =>
    isDeepStrictEqual(stepLines(step), known.get(step.outcome.resource.id));
  return steps.filter((step) => isError(step) || !isKnown(step));
}
