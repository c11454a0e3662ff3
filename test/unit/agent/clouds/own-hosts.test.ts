import { describe, expect, test } from 'vitest';
import { requireOwnHost } from '../../../../src/agent/clouds/own-hosts.ts';

const own = {
  domains: ['azurecr.io', 'azurecr.example'],
  setting: 'registries.servers',
  consented: ['registry.example.com'],
};

describe('requireOwnHost', () => {
  test.each(['myteam.azurecr.io', 'eu.myteam.azurecr.example', 'registry.example.com'])(
    'allows %s',
    (host) => {
      expect(() => requireOwnHost(host, own)).not.toThrow();
    },
  );

  test.each([
    'ghcr.io',
    'azurecr.io',
    'evilazurecr.io',
    'myteam.azurecr.io.example.com',
    'eu.registry.example.com',
    '',
  ])('refuses %j', (host) => {
    expect(() => requireOwnHost(host, own)).toThrow(
      expect.objectContaining({ reason: 'ForeignHost', endedBy: 'person' }),
    );
  });

  test('suggests a consent that includes the hosts of earlier consents', () => {
    expect(() => requireOwnHost('ghcr.io', own)).toThrow(
      'consent: { identityHosts: [registry.example.com, ghcr.io] }',
    );
  });
});
