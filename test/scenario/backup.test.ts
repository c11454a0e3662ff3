import { expect, test } from 'vitest';
import { nodePaths } from '../../src/agent/paths.ts';
import { statusOf } from '../../src/agent/report/status.ts';
import { kineSql } from '../lab/memory-databases.ts';
import { booted, condition, live, vm } from './a-vm.ts';

const paths = nodePaths('/');
const minute = 60_000;
const to = '/mnt/backup';
const settings = `backup: { to: ${to}, schedule: '0 3 * * *' }\n`;
const database = `${paths.k3s.datastore}/state.db`;

function makeStore(machine: ReturnType<typeof vm>): void {
  machine.host.on({ file: 'stat', args: /^--file-system/ }, 'ext2/ext3\n').files.makeDirectory(to);
  machine.host.files.write(
    database,
    kineSql(['/bootstrap/0123456789ab', '/registry/nodes/vm-4', '/registry/pods/default/web']),
    0o600,
  );
}

test('a server backs up its datastore after its first start, and then every day', async () => {
  const machine = vm('server', settings);
  makeStore(machine);
  const slipway = machine.slipway();
  const report = await live(slipway, machine, 5 * minute, ({ backup }) => backup?.proven !== undefined);
  const [cluster = ''] = machine.host.files.list(to);
  expect(machine.host.files.list(`${to}/${cluster}`)).toEqual([report.backup?.proven?.id]);
  const settled = await live(slipway, machine, minute);
  expect(condition(settled, 'Backup')).toBe('True InSync');
  expect(condition(settled, 'Ready')).toBe('True InSync');
  await live(slipway, machine, 28 * 60 * minute);
  expect(machine.host.files.list(`${to}/${cluster}`)).toHaveLength(3);
  const status = statusOf(settled, { version: '1.2.3', pid: 42, now: machine.host.now() });
  expect(status.backup).toMatchObject({ to, proven: { id: report.backup?.proven?.id } });
});

test('a store that is missing leaves the server Ready, and is reported with what to do', async () => {
  const machine = vm('server', settings);
  makeStore(machine);
  machine.host.files.remove(to);
  const slipway = machine.slipway();
  const report = await live(slipway, machine, 20 * minute);
  expect(condition(report, 'Backup')).toBe('False StoreNotFound');
  expect(condition(report, 'Ready')).toBe('True StoreNotFound');
  machine.host.files.makeDirectory(to);
  expect(condition(await live(slipway, machine, 20 * minute), 'Backup')).toBe('True InSync');
});

test.each([
  ['an agent', 'agent', settings],
  ['a server without a store', 'server', ''],
])('%s makes no backup, and has no condition about backups', async (_, role, extra) => {
  const { machine, slipway } = await booted(role, extra);
  const report = await live(slipway, machine, minute);
  expect(condition(report, 'Backup')).toBe('absent');
  expect(report.backup).toBeUndefined();
});
