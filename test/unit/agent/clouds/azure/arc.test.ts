import { expect, test } from 'vitest';
import { managedIdentity } from '../../../../../src/agent/clouds/azure/identity.ts';
import { instanceMetadata } from '../../../../../src/agent/clouds/azure/imds.ts';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

const imdsEndpoint = 'http://169.254.169.254';
const advice = /Azure Arc is not supported; use cloud: static/;

test('managedIdentity reports a machine connected by Azure Arc without requesting a token', async () => {
  const host = memoryHost({ files: { '/opt/azcmagent/bin/himds': 'elf' } });
  const credential = managedIdentity({ host, imdsEndpoint, clientId: undefined });
  await expect(credential.getToken('https://vault.azure.net/.default')).rejects.toThrow(advice);
  expect(host.journal).toEqual([]);
});

test.each([
  ['a machine connected by Arc', { '/opt/azcmagent/bin/himds': 'elf' }, true],
  ['a machine not connected by Arc', {}, false],
])(
  'the error about a silent metadata service mentions Azure Arc only on an Arc machine: %s',
  async (_what, files, isNamed) => {
    const host = memoryHost({ files }).onRequest({ url: /./ }, () => {
      throw new NodeError('TimedOut', 'no answer.');
    });
    const { message } = await instanceMetadata(host, imdsEndpoint).catch((thrown) => thrown);
    expect(advice.test(message)).toBe(isNamed);
  },
);
