import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { objectStore } from '../../../src/agent/stores/index.ts';
import { Faults, startLoopback } from '../../lab/azure/loopback.ts';
import { BlobAccount } from '../../lab/stores/blob-container.ts';
import { expectFailure, startWorld, type World } from './world.ts';

const hostName = 'slipwaylab.blob.core.windows.net';
let world: World;
let stop: () => Promise<void>;
let account: BlobAccount;

beforeAll(async () => {
  world = await startWorld();
  account = new BlobAccount('backups', world.azure.entra);
  const server = await startLoopback({
    name: 'blobs',
    log: world.azure.requests,
    faults: new Faults(),
    tls: world.azure.issue([hostName]),
    answer: (request) => account.answer(request),
  });
  world.azure.route(`${hostName}:443`, server.port);
  stop = () => server.stop();
});
afterAll(async () => {
  await stop();
  await world.azure.stop();
});

function store(settings = {}) {
  const host = nodeHost({ proxy: world.azure.proxyUrl, caFile: world.azure.caFile });
  return objectStore({ to: `https://${hostName}/backups` }, { host, cloud: world.cloud(settings) });
}

test('the managed identity reaches a container, with a token for storage only', async () => {
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
