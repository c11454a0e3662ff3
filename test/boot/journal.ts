import { runProgram } from '../lab/processes.ts';

export interface JournalEntry {
  readonly message: string;
  /** The unit that wrote the entry, or the unit that systemd wrote it about. */
  readonly unit: string;
  /** The priority from 0 (emergency) to 7 (debug), as in syslog(3). */
  readonly priority: number;
  /** The time in epoch milliseconds. */
  readonly time: number;
  readonly boot: string;
}

/**
 * Resolves to the entries in a journal folder, oldest first; `matches` are filters and options of journalctl(1).
 * Rejects if journalctl prints only an error.
 */
export async function journalOf(
  folder: string,
  matches: readonly string[],
): Promise<readonly JournalEntry[]> {
  const { stdout, stderr } = await runProgram(
    'journalctl',
    ['-D', folder, '-o', 'json', '--no-pager', '-q', ...matches],
    { PATH: process.env.PATH ?? '' },
  );
  if (stdout === '' && stderr !== '') {
    throw new Error(`The journal cannot be read: ${stderr}`);
  }
  return stdout.split('\n').filter(Boolean).map(entry);
}

function entry(line: string): JournalEntry {
  const fields: Readonly<Record<string, unknown>> = JSON.parse(line);
  return {
    message: text(fields.MESSAGE),
    unit: text(fields.UNIT ?? fields._SYSTEMD_UNIT ?? fields.SYSLOG_IDENTIFIER),
    priority: Number(fields.PRIORITY ?? 6),
    time: Number(fields.__REALTIME_TIMESTAMP) / 1000,
    boot: text(fields._BOOT_ID),
  };
}

/**
 * Returns a journal field as a string, which is empty if the field is missing. In place of a string with control
 * characters, journalctl prints an array of bytes.
 */
function text(field: unknown): string {
  return Array.isArray(field) ? Buffer.from(field).toString() : String(field ?? '');
}
