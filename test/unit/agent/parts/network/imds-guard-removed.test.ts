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

test('without files of the guard no command runs', async () => {
  expect(await outcome(resource, memoryHost())).toBe('InSync');
});

test.each([
  ['a unit that is active', { [unit]: '', [rules]: '' }, 'ActiveState=active\nUnitFileState=disabled\n', ''],
  ['a unit that is enabled', { [unit]: '', [rules]: '' }, 'ActiveState=failed\nUnitFileState=enabled\n', ''],
])('%s is removed first', async (_, files, shown, list) => {
  const host = memoryHost({ files }).on({ file: 'systemctl' }, shown).on({ file: 'systemd-run' }, list);
  expect(await outcome(resource, host)).toBe('Drifted slipway-imds-guard.service');
});

test.each([
  ['a table that is loaded', { [unit]: '', [rules]: '' }, '', 'Drifted inet slipway_imds'],
  ['a table whose unit was removed by hand', { [rules]: '' }, '', 'Drifted inet slipway_imds'],
  ['the files', { [unit]: '', [rules]: '' }, gone, 'Drifted files'],
  ['only the rules', { [rules]: '' }, gone, 'Drifted files'],
  [
    'a table that cannot be read',
    { [unit]: '', [rules]: '' },
    { exitCode: 1, stderr: 'Failed to connect to bus: No such file or directory' },
    'ImdsGuardFailed (person)',
  ],
  ['only the unit', { [unit]: '' }, gone, 'Drifted files'],
])('%s', async (_, files, list, found) => {
  const host = memoryHost({ files: { ...files, '/usr/sbin/nft': '' } })
    .on({ file: 'systemctl' }, idle)
    .on({ file: 'systemd-run' }, list);
  expect(await outcome(resource, host)).toBe(found);
});

test('without nft the files are removed', async () => {
  const host = memoryHost({ files: { [rules]: '' } });
  expect(await outcome(resource, host)).toBe('Drifted files');
});
