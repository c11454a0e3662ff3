import { expect, test } from 'vitest';
import { backupLine } from '../../../../src/agent/report/backup-line.ts';

const now = Date.UTC(2026, 10, 30, 15);
const due = '2026-11-30T18:00:00.000Z';
const proven = {
  id: '20261130T120000Z-vm-1',
  made: '2026-11-30T12:00:00Z',
  bytes: 44_040_192,
  stored: 9_000_000,
};

test.each([
  ['a node that makes no backups', undefined, ''],
  ['no proven backup', { to: '/mnt/backup', due }, 'no backup is proven yet, the next one is due in 3h0m'],
  [
    'a proven backup',
    { to: '/mnt/backup', due, proven },
    'last proven backup 3h0m ago (9 MB), the next one is due in 3h0m',
  ],
])('the line about the backups describes %s', (_, backup, line) => {
  expect(backupLine({ backup }, now)).toBe(line);
});
