import { writeSync } from 'node:fs';

/**
 * Writes `slipway: TEXT` to standard error if possible, with this priority for the journal (sd-daemon(3)). Works
 * without a stream, for a process that ends or has just begun.
 */
export function tellJournal(priority: 3 | 4 | 7, text: string): void {
  const prefix = process.env.JOURNAL_STREAM === undefined ? '' : `<${priority}>`;
  try {
    writeSync(2, `${prefix}slipway: ${text}\n`);
  } catch {
    // Nothing reads it; the exit code still reports the failure.
  }
}
