import { createTwoFilesPatch } from 'diff';
import { isNote } from '../engine/met.ts';
import { printableLine } from '../engine/printable.ts';
import type { RecordedAction } from '../engine/recorded-action.ts';
import type { Outcome } from '../engine/resource.ts';
import { redacted } from '../engine/secret.ts';
import { octal } from '../resources/mode.ts';
import type { ChangedSetting } from './changed-settings.ts';

/** A resource's outcome, and what a dry run's Host noted on the way. */
export interface PlannedStep {
  readonly outcome: Outcome;
  readonly actions: readonly RecordedAction[];
}

/**
 * What would change, in the plan's order, as a person reads a diff, and a last line that counts it; before it the
 * settings in which another configuration differs, where there is one.
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
  const count = (is: (step: PlannedStep) => boolean) => steps.filter(is).length;
  const state = (...states: readonly Outcome['state'][]) =>
    count(({ outcome }) => states.includes(outcome.state));
  const followers = count(({ outcome, actions }) => outcome.state === 'Recorded' && actions.length === 0);
  const notes = count(({ outcome }) => isNote(outcome));
  const parts = [
    `${state('Changed', 'Recorded') - followers} to change`,
    `${state('Blocked') + followers} to follow`,
    `${state('Waiting', 'Failed') - notes} in the way`,
    `${notes} to note`,
    `${state('InSync')} in sync`,
  ];
  return `Plan: ${parts.join(', ')}. Nothing was changed.`;
}

/** What must be known before there is a plan; without it the plan is an error, not a wait. */
const grounds: readonly string[] = ['Settings', 'Identity', 'Role', 'Node'];

/** Whether the plan would change anything, or is none. */
export function planVerdict(steps: readonly PlannedStep[]): 'nothing' | 'changes' | 'errors' {
  if (steps.some(isError)) return 'errors';
  return steps.some(({ outcome }) => isChange(outcome)) ? 'changes' : 'nothing';
}

/** Whether a step keeps the plan from being one. */
export function isError({ outcome }: PlannedStep): boolean {
  if (outcome.state === 'Waiting') return grounds.includes(outcome.resource.id);
  return outcome.state === 'Failed' && outcome.blocks;
}

/** What is only told, as a taint that a person must set, is no change of this plan's. */
function isChange(outcome: Outcome): boolean {
  if (outcome.state === 'Waiting') return outcome.blocks;
  return outcome.state !== 'InSync' && outcome.state !== 'Failed';
}

/** A step as people read it; nothing for what is in sync. */
export function stepLines({ outcome, actions }: PlannedStep): readonly string[] {
  switch (outcome.state) {
    case 'InSync':
      return [];
    case 'Changed':
      return actions.flatMap(actionLines);
    case 'Recorded':
      return actions.length > 0 ? actions.flatMap(actionLines) : [`then: ${outcome.resource.summary}`];
    case 'Waiting':
      return [
        `${outcome.blocks ? 'wait' : 'note'}: ${outcome.resource.summary}`,
        `      ${outcome.reason}: ${outcome.message}`,
      ];
    case 'Failed':
      return [
        `${outcome.blocks ? 'stop' : 'note'}: ${outcome.resource.summary}`,
        `      ${outcome.reason}: ${outcome.message}`,
      ];
    case 'Blocked':
      return [`then: ${outcome.resource.summary}`];
  }
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
    case 'run':
      return [`run:  ${action.command}`];
    case 'send':
      return [`send: ${action.method} ${action.url}`];
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

/** The lines of a file that come, and of one that can be shown those that go. */
export function writtenLines({ mode, content, before }: Write): readonly string[] {
  if (before?.content === undefined) return added(content);
  return changed(before.content, content, before.mode & mode);
}

function added(content: string): readonly string[] {
  return content
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `+ ${line}`.trimEnd());
}

/**
 * The changed lines with three lines around them; the patch's own header says nothing new here. What somebody wrote by
 * hand into a file that only root may read, before or after, can be a secret, so lines that go are not shown.
 */
function changed(before: string, after: string, mode: number): readonly string[] {
  const isPrivate = (mode & 0o077) === 0;
  const patch = createTwoFilesPatch('before', 'after', before, after, undefined, undefined, { context: 3 });
  return patch
    .split('\n')
    .slice(3)
    .filter((line) => line !== '' && !line.startsWith('@@') && !line.startsWith('\\'))
    .map((line) => (isPrivate && line.startsWith('-') ? `-${redacted}` : line))
    .map((line) => `${line.slice(0, 1)} ${line.slice(1)}`.trimEnd());
}
