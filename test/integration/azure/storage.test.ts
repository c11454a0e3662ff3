import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { objectStore } from '../../../src/agent/stores/index.ts';
import { expectFailure, startWorld, type World } from './world.ts';

const hostName = 'slipwaylab.blob.core.windows.net';
let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.azure.stop());

function store(settings = {}) {
  const host = nodeHost({ proxy: world.azure.proxyUrl, caFile: world.azure.caFile });
  return objectStore({ to: `https://${hostName}/backups` }, { host, cloud: world.cloud(settings) });
}

test('an identity without a role on the storage account is refused', async () => {
  await expectFailure(store().read('cluster/abc', 100), {
    reason: 'StoreForbidden',
    endedBy: 'time',
    says: /slipwaylab/,
  });
});

test('the managed identity reaches a container, with a token for storage only', async () => {
  world.azure.setRole('server', 'Storage Blob Data Contributor', hostName);
  expect(await store().claim('cluster/abc', 'vm-1')).toBe('claimed');
  expect(await store().read('cluster/abc', 100)).toBe('vm-1');
  const tokens = world.azure.requests.filter(({ path }) => path.endsWith('/oauth2/token'));
  expect(tokens.map(({ query }) => new URLSearchParams(query).get('resource'))).toEqual([
    'https://storage.azure.com',
  ]);
});

test('no token goes to a storage account in another Azure cloud', async () => {
  await expectFailure(store({ environment: 'china' }).read('cluster/abc', 100), {
    reason: 'ForeignHost',
    endedBy: 'person',
    says: /backup\.to or azure\.environment/,
  });
});
