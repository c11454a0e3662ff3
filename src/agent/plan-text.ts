import { createTwoFilesPatch } from 'diff';
import { octal } from './core/mode.ts';
import type { RecordedAction } from './core/recorded-action.ts';
import type { Outcome } from './core/resource.ts';
import { redacted } from './core/secret.ts';

/** A resource's outcome, and what a dry run's Host noted on the way. */
export interface PlannedStep {
  readonly outcome: Outcome;
  readonly actions: readonly RecordedAction[];
}

/** What would change, in the plan's order, as a person reads a diff, and a last line that counts it. */
export function planText(steps: readonly PlannedStep[]): string {
  return [...steps.flatMap(stepLines), summaryLine(steps), ''].join('\n');
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

/** What is told and keeps nobody from anything. */
function isNote(outcome: Outcome): boolean {
  return (outcome.state === 'Waiting' || outcome.state === 'Failed') && !outcome.blocks;
}

/** What must be known before there is a plan; without it the plan is an error, not a wait. */
const grounds: readonly string[] = ['Settings', 'Identity', 'Role', 'Node'];

/** Whether the plan would change anything, or is none. */
export function planVerdict(steps: readonly PlannedStep[]): 'nothing' | 'changes' | 'errors' {
  const isError = ({ outcome }: PlannedStep) =>
    (outcome.state === 'Failed' && outcome.blocks) ||
    (outcome.state === 'Waiting' && grounds.includes(outcome.resource.id));
  if (steps.some(isError)) return 'errors';
  return steps.some(({ outcome }) => isChange(outcome)) ? 'changes' : 'nothing';
}

/** What is only told, as a taint that a person must set, is no change of this plan's. */
function isChange(outcome: Outcome): boolean {
  if (outcome.state === 'Waiting') return outcome.blocks;
  return outcome.state !== 'InSync' && outcome.state !== 'Failed';
}

function stepLines({ outcome, actions }: PlannedStep): readonly string[] {
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

function writeLines({
  path,
  mode,
  content,
  before,
}: Extract<RecordedAction, { kind: 'write' }>): readonly string[] {
  const verb = before ? 'edit' : 'file';
  const modes = before && before.mode !== mode ? `${octal(before.mode)} -> ${octal(mode)}` : octal(mode);
  const body =
    before?.content === undefined ? added(content) : changed(before.content, content, before.mode & mode);
  return [`${verb}: ${path} (${modes})`, ...body.map((line) => `    ${line}`)];
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
