import { styleText } from 'node:util';
import { printableData } from '../engine/printable.ts';
import { wrapped } from '../report/text-layout.ts';
import type { Diagnosis, Level } from './probe.ts';

export interface Page {
  readonly width: number;
  readonly color: boolean;
}

const colours = { ok: 'green', warning: 'yellow', failure: 'red', skipped: 'gray' } as const;

/**
 * Returns one diagnosis as text: one line if it is ok and fits the width, otherwise with the cause and the repair
 * below.
 */
export function diagnosisText(diagnosis: Diagnosis, { width, color }: Page): string {
  const { level, milliseconds, what, message, reason, repair } = printableData(diagnosis);
  const label = color
    ? styleText(colours[level], level.padEnd(7), { validateStream: false })
    : level.padEnd(7);
  const head = `${label} ${`${milliseconds} ms`.padStart(8)}  ${what}`;
  const plainLength = head.length - label.length + 7;
  const cause = reason === undefined ? message : `${reason}: ${message}`;
  if (level === 'ok' && plainLength + 2 + cause.length <= width) {
    return `${head}  ${cause}\n`;
  }
  const lines = [
    head,
    ...wrapped(cause, width, indent),
    ...(repair === undefined ? [] : wrapped(`repair: ${repair}`, width, indent)),
  ];
  return `${lines.join('\n')}\n`;
}

const indent = ' '.repeat(9);

/** Returns the heading above the diagnoses of a subject. */
export function headingText(about: string, { color }: Page): string {
  return `\n${color ? styleText('bold', about, { validateStream: false }) : about}\n`;
}

/** Returns the last line of the doctor's text: the number of diagnoses of each level. */
export function summaryText(diagnoses: readonly Diagnosis[]): string {
  const count = (level: Level) => diagnoses.filter((each) => each.level === level).length;
  const many = (number: number, one: string) => `${number} ${one}${number === 1 ? '' : 's'}`;
  const parts = [`${count('ok')} ok`, many(count('warning'), 'warning'), many(count('failure'), 'failure')];
  const left = count('skipped') > 0 ? `, ${count('skipped')} not checked` : '';
  return `\n${parts.join(', ')}${left}.\n`;
}
