import type { RecordedAction } from '../engine/recorded-action.ts';
import type { Outcome } from '../engine/resource.ts';
import { octal } from '../resources/mode.ts';
import type { ChangedSetting } from './changed-settings.ts';
import { type PlannedStep, planVerdict, writtenLines } from './plan-text.ts';

/** A plan for programs; `settings` are those in which another configuration differs, where there is one. */
export function planJson(steps: readonly PlannedStep[], settings?: readonly ChangedSetting[]): string {
  const plan = { verdict: planVerdict(steps), ...(settings && { settings }), steps: steps.map(stepJson) };
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

function stepJson({ outcome, actions }: PlannedStep) {
  const { id, condition, summary } = outcome.resource;
  return {
    resource: id,
    condition,
    state: outcome.state,
    summary,
    ...detailsOf(outcome),
    actions: actions.map(shown),
  };
}

function detailsOf(outcome: Outcome) {
  switch (outcome.state) {
    case 'InSync':
      return outcome.message === undefined ? {} : { message: outcome.message };
    case 'Changed':
    case 'Recorded':
      return { changes: outcome.changes };
    case 'Waiting':
    case 'Failed':
      return { reason: outcome.reason, message: outcome.message, blocks: outcome.blocks };
    case 'Blocked':
      return { reason: 'Blocked', message: `waits for ${outcome.by}` };
  }
}

/** As people see it: of a file that only root may read, what a person wrote into it is not shown. */
function shown(action: RecordedAction) {
  switch (action.kind) {
    case 'write':
      return { kind: 'write', path: action.path, mode: octal(action.mode), lines: writtenLines(action) };
    case 'download':
      return { ...action, mode: octal(action.mode) };
    default:
      return action;
  }
}
