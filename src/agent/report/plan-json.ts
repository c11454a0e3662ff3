import { outcomeJson } from '../engine/describe.ts';
import type { RecordedAction } from '../engine/recorded-action.ts';
import { octal } from '../resources/file-attributes.ts';
import type { ChangedSetting } from './changed-settings.ts';
import { jsonOutput } from './output.ts';
import { type PlannedStep, planVerdict, writtenLines } from './plan-text.ts';

/**
 * Returns a plan as JSON. `settings` lists the settings that differ in another configuration; absent if the plan
 * compares no other configuration.
 */
export function planJson(steps: readonly PlannedStep[], settings?: readonly ChangedSetting[]): string {
  const verdict = planVerdict(steps);
  return jsonOutput('Plan', { verdict, ...(settings && { settings }), steps: steps.map(stepJson) });
}

/** Returns a step without the time of the next check, since a dry run has no next pass. */
function stepJson({ outcome, actions }: PlannedStep) {
  const { id, condition, summary } = outcome.resource;
  const { until: _, ...said } = outcomeJson(outcome);
  return { resource: id, condition, summary, ...said, actions: actions.map(shownAction) };
}

/**
 * Returns an action for the JSON of a plan. Shows a written file as the text of a plan does, without the earlier
 * content of a file that only root may read.
 */
function shownAction(action: RecordedAction) {
  switch (action.kind) {
    case 'write':
      return { kind: 'write', path: action.path, mode: octal(action.mode), lines: writtenLines(action) };
    case 'download':
      return { ...action, mode: octal(action.mode) };
    default:
      return action;
  }
}
