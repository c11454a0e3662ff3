import { expect, test } from 'vitest';
import { backupsTable } from '../../../../src/agent/report/backups-table.ts';

const backup = { cluster: '0123456789ab', bytes: 9_000_000, at: Date.UTC(2026, 10, 30, 6) };

test('the table of backups shows each backup, and which one is proven', () => {
  const backups = [
    { ...backup, id: '20261130T060000Z-vm-1', isProven: false },
    { ...backup, id: '20261130T120000Z-vm-1', at: Date.UTC(2026, 10, 30, 12), isProven: true },
  ];
  expect(backupsTable('/mnt/backup', backups).split('\n')).toEqual([
    'BACKUP                 MADE (UTC)        SIZE  CLUSTER',
    '20261130T060000Z-vm-1  2026-11-30 06:00  9 MB  0123456789ab',
    '20261130T120000Z-vm-1  2026-11-30 12:00  9 MB  0123456789ab  proven',
    '',
  ]);
});

test('the table of backups names a store without backups', () => {
  expect(backupsTable('/mnt/backup', [])).toBe('/mnt/backup has no backup.\n');
});
