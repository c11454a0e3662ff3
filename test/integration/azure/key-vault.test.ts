import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cloud } from '../../../src/agent/clouds/cloud.ts';
import type { KeyVault } from '../../lab/azure/key-vault.ts';
import { type Expected, expectFailure, requestsTo, secret, startWorld, type World } from './world.ts';

let world: World;
let cloud: Cloud;
let vault: KeyVault;
beforeAll(async () => {
  world = await startWorld();
  cloud = world.cloud();
  vault = world.azure.vault();
});
beforeEach(() => {
  vault.faults.heal();
  vault.closed = undefined;
  vault.tenant = undefined;
  vault.throttle = { times: 0 };
  vault.listable = true;
  vault.set('k3s-token', secret);
  world.azure.setRole('server', 'Key Vault Secrets User', vault.host);
});
afterAll(() => world.azure.stop());

test('a secret is read with a token that is requested only after the challenge of the vault', async () => {
  const before = world.azure.requests.length;
  expect((await cloud.secret('k3s-token')).reveal()).toBe(secret);
  const seen = world.azure.requests
    .slice(before)
    .map(({ server, status, path }) => `${server} ${status} ${path}`);
  expect(seen).toEqual([
    'imds server 200 /metadata/instance',
    'proxy 200 ',
    'key vault 401 /secrets/k3s-token/',
    'imds server 200 /metadata/identity/oauth2/token',
    'proxy 200 ',
    'key vault 200 /secrets/k3s-token/',
  ]);
});

interface Case extends Expected {
  readonly name: string;
  readonly arrange: () => void;
  /** The number of requests to the vault; by default two: one that gets the challenge, and one with the token. */
  readonly requests?: number;
}

const cases: readonly Case[] = [
  {
    name: 'a missing secret',
    arrange: () => vault.delete('k3s-token'),
    reason: 'SecretNotFound',
    endedBy: 'time',
    says: /team\.vault\.azure\.net.*"k3s-token"/,
  },
  {
    name: 'a missing role',
    arrange: () => world.azure.setRole('server', 'Key Vault Secrets User', vault.host, false),
    reason: 'VaultForbidden',
    endedBy: 'time',
    says: /k3s-token.*not authorized.*Key Vault Secrets User/,
  },
  {
    name: 'a firewall that blocks the address',
    arrange: () => {
      vault.closed = 'firewall';
    },
    reason: 'VaultFirewall',
    endedBy: 'person',
    says: /Client address is not authorized.*subnet/,
  },
  {
    name: 'disabled public access',
    arrange: () => {
      vault.closed = 'private';
    },
    reason: 'VaultFirewall',
    endedBy: 'person',
    says: /private endpoint/,
  },
  {
    name: 'a disabled secret',
    arrange: () => vault.enable('k3s-token', false),
    reason: 'SecretDisabled',
    endedBy: 'person',
    says: /Enable it/,
  },
  {
    name: 'a vault in another tenant',
    arrange: () => {
      vault.tenant = '11111111-2222-3333-4444-555555555555';
    },
    reason: 'VaultWrongTenant',
    endedBy: 'person',
    says: /AKV10032.*tenant/,
  },
  {
    name: 'throttling',
    arrange: () => {
      vault.throttle = { times: 1 };
    },
    reason: 'Throttled',
    endedBy: 'time',
  },
  {
    name: 'throttling with a Retry-After',
    arrange: () => {
      vault.throttle = { times: 1, retryAfter: '16' };
    },
    reason: 'Throttled',
    endedBy: 'time',
    after: 16_000,
  },
  {
    name: 'an error of the vault',
    arrange: () => vault.faults.fail({ status: 503, headers: { 'retry-after': '5' } }),
    reason: 'VaultUnavailable',
    endedBy: 'time',
    after: 5_000,
    requests: 1,
  },
  {
    name: 'a server that cuts the connection',
    arrange: () => vault.faults.fail('reset'),
    reason: 'VaultUnavailable',
    endedBy: 'time',
    says: /azure\.keyVault\.name/,
    requests: 1,
  },
  {
    name: 'a silent server',
    arrange: () => vault.faults.fail('hang'),
    reason: 'VaultUnavailable',
    endedBy: 'time',
    says: /did not answer/,
    requests: 1,
  },
  {
    name: 'a server that is not a vault',
    arrange: () => vault.faults.fail('garbage'),
    reason: 'UnexpectedAnswer',
    endedBy: 'time',
    requests: 1,
  },
  {
    name: 'a 403 that is not from the vault',
    arrange: () => vault.faults.fail({ status: 403, body: '<html>Blocked by policy</html>' }),
    reason: 'VaultFirewall',
    endedBy: 'person',
    says: /network\.proxy/,
    requests: 1,
  },
  {
    name: 'a challenge for another resource',
    arrange: () => {
      const challenge =
        'Bearer authorization="https://login.microsoftonline.com/x", resource="https://evil.example"';
      vault.faults.fail({ status: 401, headers: { 'www-authenticate': challenge } });
    },
    reason: 'UnexpectedAnswer',
    endedBy: 'person',
    says: /no token was sent.*evil\.example/,
    requests: 1,
  },
  {
    name: 'a refusal that quotes the token',
    arrange: () =>
      vault.faults.fail({
        status: 400,
        body: { error: { code: 'BadParameter', message: 'bad eyJhbGciOi.eyJjYW5hcnki.sig' } },
      }),
    reason: 'UnexpectedAnswer',
    endedBy: 'person',
    says: /bad ‹redacted›/,
    requests: 1,
  },
];

describe('a failed read of a secret', () => {
  test.each(cases)(
    'is reported with a reason and a remedy, and not retried: $name',
    async ({ arrange, requests = 2, ...expected }) => {
      arrange();
      const made = await requestsTo(world.azure, 'key vault', () =>
        expectFailure(cloud.secret('k3s-token'), expected),
      );
      expect(made).toBe(requests);
    },
  );
});

describe('the version of a secret', () => {
  const version = () => cloud.secretVersion('k3s-token');

  test('is that of the newest enabled version, even if the vault lists it after the first page', async () => {
    const before = await version();
    vault.set('k3s-token', secret, Date.now() + 60_000);
    const newest = await version();
    expect(newest).not.toBe(before);
    vault.enable('k3s-token', false);
    expect(await version()).toBe(before);
    vault.enable('k3s-token', true);
    for (let older = 0; older < 60; older += 1) {
      vault.set('k3s-token', 'older', Date.now() - 3_600_000);
    }
    expect(await version()).toBe(newest);
  });

  test.each([
    ['refuses to list versions', () => Object.assign(vault, { listable: false })],
    [
      'refuses access for lack of a role',
      () => world.azure.setRole('server', 'Key Vault Secrets User', vault.host, false),
    ],
    ['has no enabled version', () => vault.enable('k3s-token', false)],
    ['answers 503', () => vault.faults.fail({ status: 503 })],
    ['names a next page on a foreign host', () => vault.faults.fail(foreignPage, { on: /versions/ })],
  ])('is undefined, without an error, if the vault %s', async (_what, arrange) => {
    vault.delete('k3s-token');
    vault.set('k3s-token', secret);
    arrange();
    expect(await version()).toBeUndefined();
  });

  const foreignPage = {
    status: 200,
    body: { value: [], nextLink: 'https://evil.example/secrets/k3s-token/versions?api-version=7.6' },
  };
});

test('the error about a vault name that does not exist names the setting azure.keyVault.name', async () => {
  await expectFailure(world.cloud({ keyVault: { name: 'tema' } }).secret('k3s-token'), {
    reason: 'VaultUnavailable',
    endedBy: 'time',
    says: /tema\.vault\.azure\.net.*azure\.keyVault\.name/,
  });
});

test('the error about a vault with a certificate of an unknown CA names the setting network.caFile', async () => {
  await expectFailure(world.cloud({}, {}).secret('k3s-token'), {
    reason: 'TlsUntrusted',
    endedBy: 'person',
    says: /network\.caFile/,
  });
});

test('the metadata of the VM determines the domain of the vault, unless the settings override it', async () => {
  const { vm } = world.azure.node('server');
  vm.azEnvironment = 'AZUREUSGOVERNMENTCLOUD';
  const unavailable = { reason: 'VaultUnavailable', endedBy: 'time' } as const;
  await expectFailure(world.cloud().secret('k3s-token'), {
    ...unavailable,
    says: /team\.vault\.usgovcloudapi\.net/,
  });
  await expectFailure(world.cloud({ environment: 'china' }).secret('k3s-token'), {
    ...unavailable,
    says: /team\.vault\.azure\.cn/,
  });
  expect((await world.cloud({ environment: 'public' }).secret('k3s-token')).reveal()).toBe(secret);
  expect((await world.cloud({ keyVault: { url: `${vault.url}/` } }).secret('k3s-token')).reveal()).toBe(
    secret,
  );
  vm.azEnvironment = 'AzurePublicCloud';
});

test('a request to the vault has a timeout of ten seconds', () => {
  expect(Math.max(...world.timeouts)).toBe(10_000);
});
