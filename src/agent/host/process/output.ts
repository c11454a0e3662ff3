import { fstatSync } from 'node:fs';
import { printable, printableData } from '../../engine/printable.ts';
import { printStyled } from './print.ts';

/** A destination for whole log lines. */
export interface LineSink {
  /** True if the reader of the lines, such as the journal, adds the time. */
  readonly hasTime: boolean;
  write(line: string): void;
}

/** The target of log lines: the journal, a terminal, or a file or pipe that gets JSON. */
export type LogTarget = 'journal' | 'terminal' | 'json';

/**
 * Returns the target of log lines: the journal if JOURNAL_STREAM has the device and inode of standard output
 * (systemd.exec(5)), otherwise a terminal or JSON, depending on `isTerminal`.
 */
export function logTarget(env: NodeJS.ProcessEnv, isTerminal: boolean): LogTarget {
  const { dev, ino } = fstatSync(1);
  if (env.JOURNAL_STREAM === `${dev}:${ino}`) {
    return 'journal';
  }
  return isTerminal ? 'terminal' : 'json';
}

/** The journal's priority of a line (sd-daemon(3)), by pino's level. */
const priorities: Readonly<Record<string, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
};

/**
 * Returns a sink that writes pino's lines to standard output: as JSON for `json`, otherwise as readable text, one line
 * each. Escapes control characters.
 *
 * A line for the journal begins with its priority. The journal itself adds the time and the process id.
 */
export async function logDestination(
  target: LogTarget,
  write: (text: string) => void = printStyled,
): Promise<LineSink> {
  // Escaped control characters do not change the meaning of JSON.
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

/** Formats a line for the journal, without pino-pretty, which would cost each start of the daemon 15 ms and 2 MB. */
function journalLine(line: string): string {
  const { level, msg, ...fields } = JSON.parse(line);
  const data = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
  return `<${priorities[level] ?? 6}>${msg}${data}\n`;
}
