/** The journal of one root: a file of JSON lines with journald's field names (systemd.journal-fields(7)). */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Entry = Readonly<Record<string, string>>;

export interface Journal {
  /** Records a message from systemd about a unit. */
  manager(unit: string, invocation: string, message: string, priority?: number): void;
  /** Records a line that a process of a unit wrote. */
  output(unit: string, invocation: string, pid: number, program: string, line: string): void;
}

export function openJournal(root: string): Journal {
  const path = journalPath(root);
  mkdirSync(dirname(path), { recursive: true });
  const boot = randomUUID().replaceAll('-', '');
  let sequence = 0;
  const append = (fields: Entry) => {
    sequence += 1;
    const now = process.hrtime.bigint() / 1000n;
    const entry = {
      __CURSOR: `s=${boot};i=${sequence.toString(16)}`,
      __REALTIME_TIMESTAMP: String(Date.now() * 1000),
      __MONOTONIC_TIMESTAMP: String(now),
      _BOOT_ID: boot,
      ...fields,
    };
    appendFileSync(path, `${JSON.stringify(entry)}\n`);
  };
  return {
    manager: (unit, invocation, message, priority = 6) =>
      append({
        _PID: '1',
        _COMM: 'systemd',
        _SYSTEMD_UNIT: 'init.scope',
        SYSLOG_IDENTIFIER: 'systemd',
        _TRANSPORT: 'journal',
        PRIORITY: String(priority),
        UNIT: unit,
        ...(invocation === '' ? {} : { INVOCATION_ID: invocation }),
        MESSAGE: message,
      }),
    output(unit, invocation, pid, program, line) {
      const [, level, rest] = /^<([0-7])>(.*)$/s.exec(line) ?? [];
      append({
        _PID: String(pid),
        _COMM: program,
        _SYSTEMD_UNIT: unit,
        _SYSTEMD_INVOCATION_ID: invocation,
        SYSLOG_IDENTIFIER: program,
        _TRANSPORT: 'stdout',
        PRIORITY: level ?? '6',
        MESSAGE: rest ?? line,
      });
    },
  };
}

export function readJournal(root: string): Entry[] {
  const path = journalPath(root);
  if (!existsSync(path)) {
    return [];
  }
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line));
}

function journalPath(root: string): string {
  return join(root, 'var/log/journal.jsonl');
}
