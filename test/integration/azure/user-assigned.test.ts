import { afterAll, beforeAll, expect, test } from 'vitest';
import { vmIdentity } from '../../lab/azure/index.ts';
import { expectFailure, secret, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.azure.stop());

test('Slipway uses only the user-assigned identity whose client id is in the settings, once that identity is attached', async () => {
  const chosen = vmIdentity('user');
  const { vm } = world.azure.node('server');
  world.azure.entra.assign(chosen.objectId, 'Key Vault Secrets User', 'team.vault.azure.net');
  vm.identities.push(vmIdentity('user'));
  const cloud = world.cloud({ identity: { clientId: chosen.clientId } });
  await expectFailure(cloud.secret('k3s-token'), {
    reason: 'ManagedIdentityMissing',
    endedBy: 'time',
    says: new RegExp(chosen.clientId),
  });
  vm.identities.push(chosen);
  world.azure.setRole('server', 'Key Vault Secrets User', 'team.vault.azure.net', false);
  expect((await cloud.secret('k3s-token')).reveal()).toBe(secret);
});
