import { expect, test } from 'vitest';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { registryCredentials } from '../../../../../src/agent/parts/registry/credential-status.ts';
import { writeProof } from '../../../../../src/agent/parts/registry/proof/pull-record.ts';
import { loginsRenewed } from '../../../../../src/agent/parts/registry/renewal.ts';
import { FakeCloud } from '../../../../lab/fake-cloud.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, settle } from '../../a-node.ts';

const hour = 3_600_000;
const servers = ['one.azurecr.io', 'two.azurecr.io'];
const node = aNode('server', { settings: { registries: { servers } } });

async function world() {
  const host = memoryHost();
  const cloud = new FakeCloud({ registries: servers, clock: host });
  const spec = { cloud, rotateAt: (receivedAt: number) => receivedAt + hour };
  const [resource] = loginsRenewed(node, spec);
  if (resource) {
    await settle(resource, host);
  }
  return { host, spec };
}

test('registryCredentials returns the times of each credential, and the result of its pull check', async () => {
  const { host, spec } = await world();
  const { pullProof } = node.paths.slipway;
  await writeProof(host, pullProof, 'two.azurecr.io', { credential: 'x', images: [], result: 'logged in' });
  const times = { receivedAt: host.now(), due: host.now() + hour, ends: host.now() + 3 * hour };
  expect(await registryCredentials(host, node, spec)).toEqual([
    { server: 'one.azurecr.io', ...times },
    { server: 'two.azurecr.io', ...times, proof: 'logged in' },
  ]);
});

test('registryCredentials returns no part of the password', async () => {
  const { host, spec } = await world();
  const [login] = Object.values(
    (await host.readFile(node.paths.slipway.logins))?.content.match(/eyJ\S+/g) ?? [],
  );
  expect(login).toBeDefined();
  expect(JSON.stringify(await registryCredentials(host, node, spec))).not.toContain(login?.slice(0, 30));
});

test('registryCredentials returns no credential if the store is missing, damaged, or has only logins of another user', async () => {
  const { host, spec } = await world();
  const { logins } = node.paths.slipway;
  const theirs = { 'one.azurecr.io': { username: 'me', password: 'x', receivedAt: 1 } };
  for (const content of ['{', '{}', JSON.stringify({ format: 1, logins: theirs }), undefined]) {
    if (content === undefined) {
      host.files.remove(logins);
    } else {
      host.files.write(logins, content, 0o600);
    }
    expect(await registryCredentials(host, node, spec)).toEqual([]);
  }
});

test('registryCredentials returns no expiry for a password that does not expire', async () => {
  const host = memoryHost();
  const cloud = new FakeCloud({ registries: servers, clock: host });
  cloud.registryPassword = async () => ({ password: new Secret('hunter2') });
  const spec = { cloud, rotateAt: (receivedAt: number) => receivedAt + hour };
  const [resource] = loginsRenewed(node, spec);
  if (resource) {
    await settle(resource, host);
  }
  const [first] = await registryCredentials(host, node, spec);
  expect(first).toStrictEqual({
    server: 'one.azurecr.io',
    receivedAt: host.now(),
    due: host.now() + hour,
  });
});
