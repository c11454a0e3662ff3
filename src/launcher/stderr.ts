import { writeSync } from 'node:fs';

/**
 * Writes `slipway: TEXT` to standard error, and ignores a failure. Adds the priority if the journal receives the text
 * (sd-daemon(3)). Uses no stream, so that it works in a process that has just started or is about to end.
 */
export function tellJournal(priority: 3 | 4 | 7, text: string): void {
  const prefix = process.env.JOURNAL_STREAM === undefined ? '' : `<${priority}>`;
  try {
    writeSync(2, `${prefix}slipway: ${text}\n`);
  } catch {
    // Nothing reads stderr; the exit code still reports the failure.
  }
}
