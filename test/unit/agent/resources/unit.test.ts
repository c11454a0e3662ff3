import { expect, test } from 'vitest';
import { showUnit, unitLoaded } from '../../../../src/agent/resources/unit.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const path = '/etc/systemd/system/x.service';
const loaded = unitLoaded({ unit: 'x.service', path, condition: 'System' });

test.each([
  ['has read the current file', 'loaded', 'no', 'InSync'],
  ['has read an earlier version of the file', 'loaded', 'yes', 'Drifted'],
  ['could not read the file', 'error', 'no', 'Drifted'],
])(
  'unitLoaded compares a unit with its file if systemd %s: LoadState %s, NeedDaemonReload %s',
  async (_, state, stale, finding) => {
    const shown = `LoadState=${state}\nFragmentPath=${path}\nNeedDaemonReload=${stale}\n`;
    const host = memoryHost().on({ file: 'systemctl', args: /^show / }, shown);
    expect(await loaded.check(host)).toMatchObject({ state: finding });
  },
);

test('all units that were asked for are shown with one command', async () => {
  const states: Record<string, string> = { 'a.service': 'active', 'b.service': 'inactive' };
  const host = memoryHost().on({ file: 'systemctl', args: /^show / }, ({ args }) =>
    args
      .slice(1, -2)
      .map((unit) => `ActiveState=${states[unit]}\nSubState=\n`)
      .join('\n'),
  );
  const state = async (unit: string) => (await showUnit(host, unit, ['ActiveState'])).ActiveState;
  expect([await state('a.service'), await state('b.service'), await state('a.service')]).toEqual([
    'active',
    'inactive',
    'active',
  ]);
  expect(host.looks.map((line) => line.replace(/ -p .*/, ''))).toEqual([
    'systemctl show a.service',
    'systemctl show a.service b.service',
    'systemctl show a.service b.service',
  ]);
});

test('a unit is shown alone if systemctl does not report all units', async () => {
  const host = memoryHost()
    .on({ file: 'systemctl', args: /^show a\.service/ }, 'ActiveState=active\n')
    .on({ file: 'systemctl', args: /^show b\.service/ }, 'ActiveState=failed\n');
  await showUnit(host, 'a.service', ['ActiveState']);
  expect(await showUnit(host, 'b.service', ['ActiveState'])).toEqual({ ActiveState: 'failed' });
});
