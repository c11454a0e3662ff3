import { isDeepStrictEqual } from 'node:util';
import { createTwoFilesPatch } from 'diff';
import { describe, type Standing } from '../engine/describe.ts';
import { printableLine } from '../engine/printable.ts';
import type { RecordedAction } from '../engine/recorded-action.ts';
import type { Outcome } from '../engine/resource.ts';
import { redacted } from '../engine/secret.ts';
import { octal } from '../resources/file-attributes.ts';
import type { ChangedSetting } from './changed-settings.ts';

/** The outcome of a resource, and the actions that the Host of a dry run recorded for it. */
export interface PlannedStep {
  readonly outcome: Outcome;
  readonly actions: readonly RecordedAction[];
}

/**
 * Returns the steps of a plan in order, with changes of files as diffs, and a last line that counts the steps. If the
 * plan compares another configuration, the settings that differ come first.
 */
export function planText(steps: readonly PlannedStep[], settings: readonly ChangedSetting[] = []): string {
  const lines = [...settings.map(settingLine), ...steps.flatMap(stepLines), summaryLine(steps)];
  return lines.map((line) => `${printableLine(line)}\n`).join('');
}

function settingLine({ path, before, after }: ChangedSetting): string {
  const shown = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  return `set:  ${path}: ${shown(before)} -> ${shown(after)}`;
}

function summaryLine(steps: readonly PlannedStep[]): string {
  const count = (...standings: readonly Standing[]) =>
    steps.filter((step) => standings.includes(standingOf(step))).length;
  const parts = [
    `${count('change')} to change`,
    `${count('follow')} to follow`,
    `${count('wait', 'stop')} in the way`,
    `${count('note')} to note`,
    `${count('in sync')} in sync`,
  ];
  return `Plan: ${parts.join(', ')}. Nothing was changed.`;
}

/**
 * Returns the standing of a step. A recorded outcome without an action follows an earlier change, so its effect cannot
 * be foreseen.
 */
function standingOf({ outcome, actions }: PlannedStep): Standing {
  return outcome.state === 'Recorded' && actions.length === 0 ? 'follow' : describe(outcome).standing;
}

/** The resources that a plan depends on: while one of them waits, the verdict on the plan is `errors`. */
const grounds: readonly string[] = ['Settings', 'Identity', 'Role', 'Node'];

/**
 * Returns `errors` if the plan has an error, otherwise whether the plan changes anything. A step that waits or follows
 * another counts as a change; a note, such as a taint that a person must set, does not.
 */
export function planVerdict(steps: readonly PlannedStep[]): 'nothing' | 'changes' | 'errors' {
  if (steps.some(isError)) {
    return 'errors';
  }
  const toCome: readonly Standing[] = ['change', 'follow', 'wait'];
  return steps.some((step) => toCome.includes(standingOf(step))) ? 'changes' : 'nothing';
}

/** True for a failure that blocks dependants, and for a resource of `grounds` that waits. */
function isError({ outcome }: PlannedStep): boolean {
  if (outcome.state === 'Waiting') {
    return grounds.includes(outcome.resource.id);
  }
  return describe(outcome).standing === 'stop';
}

/** Returns the lines that show a step to people; an empty list if the step is in sync. */
export function stepLines(step: PlannedStep): readonly string[] {
  const { summary } = step.outcome.resource;
  const { reason, message } = describe(step.outcome);
  const standing = standingOf(step);
  switch (standing) {
    case 'in sync':
      return [];
    case 'change':
      return step.actions.flatMap(actionLines);
    case 'follow':
      return [`then: ${summary}`];
    case 'wait':
    case 'stop':
    case 'note':
      return [`${standing}: ${summary}`, `      ${reason}: ${message}`];
  }
}

/** Returns the steps for a node that is not set up yet: without those that only maintain it later. */
export function withoutUpkeep(steps: readonly PlannedStep[]): readonly PlannedStep[] {
  return steps.filter((step) => !step.outcome.resource.isUpkeep || standingOf(step) !== 'follow');
}

/**
 * Returns the steps whose lines differ from those of the same resource in the other plan, and every step that is an
 * error.
 */
export function onlyIn(steps: readonly PlannedStep[], other: readonly PlannedStep[]): readonly PlannedStep[] {
  const known = new Map(other.map((step) => [step.outcome.resource.id, stepLines(step)]));
  const isKnown = (step: PlannedStep) =>
    isDeepStrictEqual(stepLines(step), known.get(step.outcome.resource.id));
  return steps.filter((step) => isError(step) || !isKnown(step));
}

function actionLines(action: RecordedAction): readonly string[] {
  switch (action.kind) {
    case 'write':
      return writeLines(action);
    case 'link':
      return [`link: ${action.path} -> ${action.target}`];
    case 'rename':
      return [`move: ${action.from} -> ${action.to}`];
    case 'remove':
      return [`remove: ${action.path}`];
    case 'copy':
      return [`copy: ${action.from} -> ${action.to}, and read it back`];
    case 'compress':
    case 'decompress':
      return [`${action.kind}: ${action.from} -> ${action.to}`];
    case 'copyFile':
      return [`copy: ${action.from} -> ${action.to}`];
    case 'run':
      return [`run:  ${action.command}`];
    case 'send':
      return [`send: ${action.method} ${action.url}`];
    case 'upload':
      return [`send: ${action.from}`, `      to ${action.url}`];
    case 'fetch':
      return [`get:  ${action.url}`, `      to ${action.path} (0600)`];
    case 'download':
      return [`get:  ${action.url}`, `      to ${action.path} (${octal(action.mode)}), its sha256 verified`];
    case 'obtain':
      return [`ask:  ${action.what}`];
  }
}

type Write = Extract<RecordedAction, { readonly kind: 'write' }>;

function writeLines(action: Write): readonly string[] {
  const { path, mode, before } = action;
  const verb = before ? 'edit' : 'file';
  const modes = before && before.mode !== mode ? `${octal(before.mode)} -> ${octal(mode)}` : octal(mode);
  return [`${verb}: ${path} (${modes})`, ...writtenLines(action).map((line) => `    ${line}`)];
}

/**
 * Returns the lines of a written file as a diff: the changed lines with their context, or every line as an added line
 * if the earlier content is unknown.
 */
export function writtenLines({ mode, content, before }: Write): readonly string[] {
  if (before?.content === undefined) {
    return addedLines(content);
  }
  return changedLines(before.content, content, before.mode & mode);
}

function addedLines(content: string): readonly string[] {
  return content
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `+ ${line}`.trimEnd());
}

/**
 * Returns the changed lines with three lines of context, without the header of the patch. Redacts the removed lines if
 * only root may read the file before or after the change, since handwritten text in such a file can be a secret.
 */
function changedLines(before: string, after: string, mode: number): readonly string[] {
  const isPrivate = (mode & 0o077) === 0;
  const patch = createTwoFilesPatch('before', 'after', before, after, undefined, undefined, { context: 3 });
  return patch
    .split('\n')
    .slice(3)
    .filter((line) => line !== '' && !line.startsWith('@@') && !line.startsWith('\\'))
    .map((line) => (isPrivate && line.startsWith('-') ? `-${redacted}` : line))
    .map((line) => `${line.slice(0, 1)} ${line.slice(1)}`.trimEnd());
}
