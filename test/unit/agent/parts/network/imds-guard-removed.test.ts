import { expect, test } from 'vitest';
import { imdsGuardRemoved } from '../../../../../src/agent/parts/network/imds-guard-removed.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { outcome } from '../../a-node.ts';

const unit = '/etc/systemd/system/slipway-imds-guard.service';
const rules = '/var/lib/slipway/imds-guard.nft';
const gone = { exitCode: 1, stderr: 'Error: No such file or directory' };
const idle = 'ActiveState=inactive\nUnitFileState=disabled\n';
const resource = imdsGuardRemoved(nodePaths('/'));

test('imdsGuardRemoved runs no command if no file of the guard exists', async () => {
  expect(await outcome(resource, memoryHost())).toBe('InSync');
});

test.each([
  ['an active unit', { [unit]: '', [rules]: '' }, 'ActiveState=active\nUnitFileState=disabled\n', ''],
  ['an enabled unit', { [unit]: '', [rules]: '' }, 'ActiveState=failed\nUnitFileState=enabled\n', ''],
])('imdsGuardRemoved first disables and stops %s', async (_, files, shown, list) => {
  const host = memoryHost({ files }).on({ file: 'systemctl' }, shown).on({ file: 'systemd-run' }, list);
  expect(await outcome(resource, host)).toBe('Drifted slipway-imds-guard.service');
});

test.each([
  [
    'deletes a loaded table once the unit is stopped',
    { [unit]: '', [rules]: '' },
    '',
    'Drifted inet slipway_imds',
  ],
  ['deletes a table whose unit was removed by hand', { [rules]: '' }, '', 'Drifted inet slipway_imds'],
  ['removes the files last', { [unit]: '', [rules]: '' }, gone, 'Drifted files'],
  ['removes the rules file if the unit is already gone', { [rules]: '' }, gone, 'Drifted files'],
  [
    'fails if the table cannot be read',
    { [unit]: '', [rules]: '' },
    { exitCode: 1, stderr: 'Failed to connect to bus: No such file or directory' },
    'ImdsGuardFailed (person)',
  ],
  ['removes the unit if the rules file is already gone', { [unit]: '' }, gone, 'Drifted files'],
])('imdsGuardRemoved %s', async (_, files, list, found) => {
  const host = memoryHost({ files: { ...files, '/usr/sbin/nft': '' } })
    .on({ file: 'systemctl' }, idle)
    .on({ file: 'systemd-run' }, list);
  expect(await outcome(resource, host)).toBe(found);
});

test('imdsGuardRemoved removes the files if nft is not installed', async () => {
  const host = memoryHost({ files: { [rules]: '' } });
  expect(await outcome(resource, host)).toBe('Drifted files');
});
