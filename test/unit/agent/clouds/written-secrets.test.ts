import { describe, expect, test } from 'vitest';
import { writtenSecrets } from '../../../../src/agent/clouds/written-secrets.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const files = {
  '/etc/slipway/token': { content: 'K10token\n', mode: 0o600 },
  '/run/credentials/slipway.service/password': { content: 'letmein', mode: 0o400 },
};

function start() {
  return writtenSecrets(
    'moon',
    {
      secrets: { 'k3s-token': '/etc/slipway/token' },
      registries: { 'registry.example': { username: 'puller', passwordFile: 'credential:password' } },
    },
    {
      host: memoryHost({ files }),
      machine: { hostname: 'lander', addresses: () => [], credentials: '/run/credentials/slipway.service' },
    },
  );
}

describe('written secrets', () => {
  test('come from the places that the settings section names', async () => {
    const cloud = start();
    expect((await cloud.secret('k3s-token')).reveal()).toBe('K10token');
    expect(cloud.registryUser('registry.example')).toBe('puller');
    expect((await cloud.registryPassword('registry.example')).password.reveal()).toBe('letmein');
  });

  test.each(['k3s-agent-token', 'constructor'])(
    'fail with an error that names the setting for the missing secret %s',
    async (name) => {
      await expect(start().secret(name)).rejects.toMatchObject({
        reason: 'SecretNotFound',
        endedBy: 'person',
        message: expect.stringContaining(`Set moon.secrets.${name} to the file`),
      });
      expect(await start().secretVersion(name)).toBeUndefined();
    },
  );

  test.each(['other.example', 'constructor'])(
    'fail with an error that names the setting for a missing login to %s',
    async (server) => {
      await expect(start().registryPassword(server)).rejects.toMatchObject({
        reason: 'RegistryUnauthorized',
        endedBy: 'person',
        message: expect.stringContaining(`Set moon.registries."${server}" with username`),
      });
      expect(start().registryUser(server)).toBe('unknown');
    },
  );
});
