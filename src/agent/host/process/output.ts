import { fstatSync } from 'node:fs';
import { printable, printableData } from '../../engine/printable.ts';
import { printStyled } from './print.ts';

/** A sink of whole lines. */
export interface LineSink {
  /** Whether its reader adds the time of a line. */
  readonly hasTime: boolean;
  write(line: string): void;
}

/** The target of log lines: the journal, a terminal, or a file or pipe that gets JSON. */
export type LogTarget = 'journal' | 'terminal' | 'json';

/**
 * Returns the target of log lines. JOURNAL_STREAM holds the device and inode of the stream that leads to the journal
 * (systemd.exec(5)).
 */
export function logTarget(env: NodeJS.ProcessEnv, isTerminal: boolean): LogTarget {
  const { dev, ino } = fstatSync(1);
  if (env.JOURNAL_STREAM === `${dev}:${ino}`) {
    return 'journal';
  }
  return isTerminal ? 'terminal' : 'json';
}

/** sd-daemon(3): the priority the journal gives a line, by pino's level. */
const priorities: Readonly<Record<string, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
};

/**
 * Writes pino's lines to standard output: unchanged for `json`, else readable, one line each.
 *
 * The journal has time and process of its own and takes the priority from a prefix.
 */
export async function logDestination(
  target: LogTarget,
  write: (text: string) => void = printStyled,
): Promise<LineSink> {
  // In JSON, escaping a terminal's control characters does not change the text.
  const print = (line: string) => write(printable(line));
  if (target === 'json') {
    return { hasTime: false, write: print };
  }
  if (target === 'journal') {
    return { hasTime: true, write: (line) => print(journalLine(line)) };
  }
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({ colorize: true, singleLine: true, translateTime: 'SYS:HH:MM:ss' });
  return { hasTime: false, write: (line) => write(pretty(JSON.stringify(printableData(JSON.parse(line))))) };
}

/** Formats a line as pino-pretty does, which would cost every daemon 15 ms of its start and 2 MB. */
function journalLine(line: string): string {
  const { level, msg, ...fields } = JSON.parse(line);
  const data = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  return `<${priorities[level] ?? 6}>${msg}${data}\n`;
}
