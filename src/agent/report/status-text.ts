import { styleText } from 'node:util';
import { printableData } from '../engine/printable.ts';
import { backupLine } from './backup-line.ts';
import { certificateLine } from './certificate-line.ts';
import type { PublishedCondition as Condition, Status } from './status.ts';
import { age, columns, inTime, shortened, wrapped } from './text-layout.ts';

/** The options for displaying the status. */
export interface View {
  /** True if the daemon is running; `undefined` if no daemon is expected to run. */
  readonly running: boolean | undefined;
  /** The current time in epoch milliseconds. */
  readonly now: number;
  /** The width of the terminal in characters. */
  readonly width: number;
  readonly color: boolean;
}

type Colour = 'green' | 'yellow' | 'red' | 'bold';

/**
 * Returns the state of this node on one screen, with the full message of every condition that is neither in sync nor
 * blocked.
 */
export function statusText(found: Status, view: View): string {
  const status = printableData(found);
  const sections = [
    headOf(status, view),
    conditionsOf(status, view),
    credentialsOf(status, view),
    waitsOf(status, view),
    changesOf(status, view),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headOf(status: Status, view: View): readonly string[] {
  const { role, node, version, conditions } = status;
  const [ready] = conditions;
  const is = readiness(ready);
  const who = `${node ?? 'unnamed node'}  ${role ?? 'no role yet'}`;
  return [
    `${painted('bold', who, view)}  ${ready ? byStatus(ready, is, view) : is}  slipway ${version}`,
    ...k3sLine(status),
    ...wrapped(certificateLine(status, view.now), view.width, ''),
    ...wrapped(backupLine(status, view.now), view.width, ''),
    ...wrapped(lifeLine(status, view), view.width, ''),
  ];
}

/**
 * Returns the line for `systemctl status`: role and name of the node, whether it is Ready, and the message of Ready
 * unless the node is in sync.
 */
export function statusLine({ role, node, conditions: [ready] }: Status): string {
  const who = [role, node].filter(Boolean).join(' ') || 'this VM';
  const why = ready === undefined || isWell(ready) ? '' : `: ${ready.message}`;
  return `${who}: ${readiness(ready)}${why}`;
}

function readiness(ready: Condition | undefined): string {
  if (ready === undefined) {
    return 'nothing known yet';
  }
  if (ready.status !== 'True') {
    return `not Ready: ${ready.reason}`;
  }
  return isWell(ready) ? 'Ready' : `Ready, but ${ready.reason}`;
}

function isWell({ status, reason }: Condition): boolean {
  return status === 'True' && reason === 'InSync';
}

function k3sLine({ k3s: { wanted, running } }: Status): readonly string[] {
  if (wanted === undefined) {
    return [];
  }
  if (running === undefined) {
    return [`K3s ${wanted} wanted; not seen Ready in the last pass`];
  }
  return [running === wanted ? `K3s ${running} runs, as wanted` : `K3s ${running} runs, ${wanted} wanted`];
}

function lifeLine({ updated, nextPass }: Status, { running, now }: View): string {
  if (running === undefined) {
    return 'applied once; no daemon maintains it';
  }
  if (!running) {
    return `the daemon is not running; this is from ${age(now - Date.parse(updated))} ago`;
  }
  return `next pass in ${age(Date.parse(nextPass.at) - now)} (${nextPass.because})`;
}

/**
 * Returns the lines of each condition. If the condition is in sync or blocked, its message is on the same line,
 * shortened to the width of the terminal; otherwise the full message follows. The message of Ready is omitted if
 * another condition has the same reason and message.
 */
function conditionsOf({ conditions }: Status, view: View): readonly string[] {
  const cells = conditions.map(({ type, status, reason, lastTransitionTime }) => [
    type,
    status,
    age(view.now - Date.parse(lastTransitionTime)),
    reason,
  ]);
  const [heading = '', ...rows] = columns([['CONDITION', 'STATUS', 'AGE', 'REASON'], ...cells]);
  return [
    painted('bold', heading, view),
    ...conditions.flatMap((condition, at) => {
      const isTold = condition.type === 'Ready' && conditions.some((other) => isCause(other, condition));
      return conditionLines(isTold ? { ...condition, message: '' } : condition, rows[at] ?? '', view);
    }),
  ];
}

function isCause(other: Condition, ready: Condition): boolean {
  return other.type !== 'Ready' && other.reason === ready.reason && other.message === ready.message;
}

function conditionLines(condition: Condition, row: string, view: View): readonly string[] {
  const { status, reason, message } = condition;
  const shown = row.replace(status, byStatus(condition, status, view));
  if (message === '') {
    return [shown];
  }
  const isPlain = isWell(condition) || reason === 'Blocked';
  if (!isPlain) {
    return [shown, ...wrapped(message, view.width, '  ')];
  }
  const room = view.width - row.length - 2;
  return [room < 8 ? shown : `${shown}  ${shortened(message, room)}`];
}

function credentialsOf({ credentials }: Status, view: View): readonly string[] {
  if (credentials.length === 0) {
    return [];
  }
  const rows = credentials.map(({ server, received, renewal, ends }) => [
    server,
    `${age(view.now - Date.parse(received))} ago`,
    inTime(renewal, view.now, 'never'),
    inTime(ends, view.now, 'no end known'),
  ]);
  const [heading = '', ...lines] = columns([['CREDENTIAL', 'RECEIVED', 'RENEWAL', 'ENDS'], ...rows]);
  return [
    painted('bold', heading, view),
    ...credentials.flatMap(({ proof }, at) => [
      lines[at] ?? '',
      ...wrapped(proof ?? 'no pull was proven yet', view.width, '  '),
    ]),
  ];
}

function waitsOf({ resources }: Status, view: View): readonly string[] {
  const waiting = resources.filter(({ state }) => state === 'Waiting' || state === 'Failed');
  if (waiting.length === 0) {
    return [];
  }
  const rows = waiting.map(({ id, reason = '', until }) => [id, nextLook(until, view), reason]);
  const [heading = '', ...lines] = columns([['WAITS FOR', 'NEXT LOOK', 'REASON'], ...rows]);
  return [painted('bold', heading, view), ...lines];
}

function nextLook(until: string | undefined, { now }: View): string {
  return until === undefined || Date.parse(until) <= now ? 'now' : `in ${age(Date.parse(until) - now)}`;
}

function changesOf({ changes }: Status, view: View): readonly string[] {
  if (changes.length === 0) {
    return [];
  }
  const rows = changes.map(({ at, did }) => [`${age(view.now - Date.parse(at))} ago`, did]);
  const lines = columns([['LAST CHANGES', ''], ...rows]).map((line) => shortened(line, view.width));
  return [painted('bold', lines[0] ?? '', view), ...lines.slice(1)];
}

function byStatus(condition: Condition, text: string, view: View): string {
  if (condition.status === 'False') {
    return painted('red', text, view);
  }
  return painted(isWell(condition) ? 'green' : 'yellow', text, view);
}

function painted(colour: Colour, text: string, { color }: View): string {
  return color ? styleText(colour, text, { validateStream: false }) : text;
}
