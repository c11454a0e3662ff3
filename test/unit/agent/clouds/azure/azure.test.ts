import { expect, test } from 'vitest';
import { azureCloud } from '../../../../../src/agent/clouds/azure/azure.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

const azure = {
  imdsEndpoint: 'http://169.254.169.254',
  identity: {},
  keyVault: {},
  registryAudience: 'https://containerregistry.azure.net',
};

test('azureCloud throws VaultNotConfigured without a Key Vault in the settings, and sends no request', async () => {
  const host = memoryHost();
  const cloud = azureCloud({ host, settings: azure });
  await expect(cloud.secret('k3s-token')).rejects.toMatchObject({
    reason: 'VaultNotConfigured',
    endedBy: 'person',
  });
  expect(host.lines()).toEqual([]);
});

test.each([
  [
    'a name and an environment',
    { keyVault: { name: 'team' }, environment: 'china' as const },
    'https://team.vault.azure.cn/',
  ],
  ['a URL', { keyVault: { name: 'team', url: 'https://v.vault.azure.net/' } }, 'https://v.vault.azure.net/'],
])(
  'azureCloud finds the Key Vault from %s, without the metadata service',
  async (_what, settings, expected) => {
    const asked: string[] = [];
    const host = memoryHost().onRequest({ url: /./ }, ({ url }) => {
      asked.push(url);
      return { status: 503 };
    });
    const cloud = azureCloud({ host, settings: { ...azure, ...settings } });
    await expect(cloud.secret('k3s-token')).rejects.toMatchObject({ reason: 'VaultUnavailable' });
    expect(asked.map((url) => url.slice(0, expected.length))).toEqual([expected]);
  },
);
