import { writeSync } from 'node:fs';

/**
 * Writes `slipway: TEXT` to standard error if it can be written, for a process that ends or has only begun: without a
 * stream, and in the journal at this priority (sd-daemon(3)).
 */
export function tellJournal(priority: 3 | 4 | 7, text: string): void {
  const prefix = process.env.JOURNAL_STREAM === undefined ? '' : `<${priority}>`;
  try {
    writeSync(2, `${prefix}slipway: ${text}\n`);
  } catch {
    // Nothing reads it; the exit code still tells.
  }
}
