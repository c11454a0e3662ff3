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
  'azureCloud derives the address of the Key Vault from %s, without the metadata service',
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

test.each([
  [
    'a Key Vault by name',
    { keyVault: { name: 'team' }, environment: 'china' as const },
    'team.vault.azure.cn',
  ],
  ['a Key Vault by URL', { keyVault: { url: 'https://v.vault.azure.net/' } }, 'v.vault.azure.net'],
])('the endpoints of azureCloud contain %s', async (_what, settings, expected) => {
  const cloud = azureCloud({ host: memoryHost(), settings: { ...azure, ...settings } });
  expect((await cloud.endpoints()).map(({ host }) => host)).toEqual([expected]);
});

test('the endpoints of azureCloud are unknown while the metadata service does not name the environment', async () => {
  const host = memoryHost().onRequest({ url: /./ }, { status: 503 });
  const cloud = azureCloud({ host, settings: { ...azure, keyVault: { name: 'team' } } });
  await expect(cloud.endpoints()).rejects.toMatchObject({ reason: 'IdentityUnavailable' });
});
