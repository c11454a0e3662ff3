/**
 * A stand-in for `journalctl` of systemd 252 that shows the journal of one node. Supports filters by field, unit, time
 * and priority, a limit on the number of lines, and output formats.
 *
 * As in the real program, `-u` also shows systemd's messages about the unit, a match on `_SYSTEMD_INVOCATION_ID` does
 * not, and JSON shows a message with control characters as an array of bytes.
 */

import { type Entry, readJournal } from '../systemd/journal.ts';
import { type Parsed, parseCommandLine } from './command-line.ts';

/** The root folder of the node; `bundleStandIn` replaces this constant with its value. */
declare const LAB_ROOT: string;

main();

function main(): void {
  const line = parseCommandLine(
    'journalctl',
    [
      { long: 'unit', short: 'u', takes: 'value' },
      { long: 'output', short: 'o', takes: 'value' },
      { long: 'lines', short: 'n', takes: 'value' },
      { long: 'boot', short: 'b', takes: 'optional' },
      { long: 'since', short: 'S', takes: 'value' },
      { long: 'priority', short: 'p', takes: 'value' },
      { long: 'output-fields', takes: 'value' },
      { long: 'reverse', short: 'r' },
      { long: 'all', short: 'a' },
      { long: 'quiet', short: 'q' },
      { long: 'no-pager' },
      { long: 'no-hostname' },
      { long: 'utc' },
      { long: 'system' },
    ],
    process.argv.slice(2),
  );
  const lines = line.values('lines').at(-1);
  if (lines !== undefined && lines !== 'all' && !/^\d+$/.test(lines)) {
    die(`Failed to parse lines '${lines}'`);
  }
  const chosen = selected(line);
  const cut = lines === undefined || lines === 'all' ? chosen : chosen.slice(chosen.length - Number(lines));
  const ordered = line.has('reverse') ? cut.reverse() : cut;
  const output = line.values('output').at(-1) ?? 'short';
  if (ordered.length === 0 && !line.has('quiet') && output.startsWith('short')) {
    process.stdout.write('-- No entries --\n');
  }
  process.stdout.write(ordered.map((entry) => `${printed(entry, output, line)}\n`).join(''));
}

/**
 * Returns the journal entries that match every filter on the command line: fields, units, time and priority. If the
 * command line has several values for a field, or several units, an entry must match one of them.
 */
function selected(line: Parsed): Entry[] {
  const matches = new Map<string, string[]>();
  for (const word of line.words) {
    const [, field, value] =
      /^([A-Z0-9_]+)=(.*)$/s.exec(word) ?? die(`Failed to add match '${word}': Invalid argument`);
    matches.set(field ?? '', [...(matches.get(field ?? '') ?? []), value ?? '']);
  }
  const units = line.values('unit').map((unit) => (unit.includes('.') ? unit : `${unit}.service`));
  const since = line.values('since').at(-1);
  const from = since === undefined ? 0 : sinceMicroseconds(since);
  const worst = line.values('priority').at(-1);
  return readJournal(LAB_ROOT)
    .filter((entry) => Number(entry.__REALTIME_TIMESTAMP) >= from)
    .filter((entry) => worst === undefined || Number(entry.PRIORITY) <= priority(worst))
    .filter((entry) => [...matches].every(([field, values]) => values.includes(entry[field] ?? '')))
    .filter((entry) => units.length === 0 || units.some((unit) => concerns(entry, unit)));
}

function concerns(entry: Entry, unit: string): boolean {
  return entry._SYSTEMD_UNIT === unit || (entry._PID === '1' && entry.UNIT === unit);
}

function printed(entry: Entry, output: string, line: Parsed): string {
  const message = entry.MESSAGE ?? '';
  if (output === 'cat') {
    return message;
  }
  if (output === 'json') {
    return json(entry, line);
  }
  if (output !== 'short' && output !== 'short-iso') {
    return die(`Unknown output format '${output}'.`);
  }
  const time = new Date(Number(entry.__REALTIME_TIMESTAMP) / 1000).toISOString().replace(/\.\d+Z$/, '+0000');
  return `${time} lab ${entry.SYSLOG_IDENTIFIER}[${entry._PID}]: ${message}`;
}

function json(entry: Entry, line: Parsed): string {
  const fields = line.values('output-fields').flatMap((names) => names.split(','));
  const always = ['__CURSOR', '__REALTIME_TIMESTAMP', '__MONOTONIC_TIMESTAMP', '_BOOT_ID'];
  const shown = Object.entries(entry)
    .filter(([name]) => fields.length === 0 || fields.includes(name) || always.includes(name))
    .map(([name, value]) => [name, jsonValue(value, line.has('all'))]);
  return JSON.stringify(Object.fromEntries(shown));
}

function jsonValue(value: string, all: boolean): string | number[] | null {
  if (value.length >= 4096 && !all) {
    return null;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that journald treats as binary.
  return /[\u0000-\u0008\u000b-\u001f\u007f]/.test(value) ? [...Buffer.from(value)] : value;
}

function sinceMicroseconds(text: string): number {
  const relative = /^-(\d+)\s*(s|sec|min|m|h)?$/.exec(text);
  if (relative) {
    const unit = { s: 1, sec: 1, min: 60, m: 60, h: 3600 }[relative[2] ?? 's'] ?? 1;
    return (Date.now() - Number(relative[1]) * unit * 1000) * 1000;
  }
  const time = text.startsWith('@') ? Number(text.slice(1)) * 1000 : Date.parse(`${text.replace(' ', 'T')}Z`);
  return Number.isNaN(time) ? die(`Failed to parse timestamp: ${text}`) : time * 1000;
}

function priority(name: string): number {
  const names = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
  return /^\d$/.test(name) ? Number(name) : names.indexOf(name);
}

function die(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
