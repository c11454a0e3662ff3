import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Cloud } from '../../../src/agent/clouds/cloud.ts';
import { readJwt } from '../../../src/agent/clouds/jwt.ts';
import type { Registry } from '../../lab/azure/registry.ts';
import { type Expected, expectFailure, loginServer, requestsTo, startWorld, type World } from './world.ts';

let world: World;
let cloud: Cloud;
let registry: Registry;
beforeAll(async () => {
  world = await startWorld();
  cloud = world.cloud();
  registry = world.azure.registry();
});
beforeEach(() => {
  registry.faults.heal();
  registry.closed = false;
  registry.mode = 'rbac';
  registry.audience = 'https://containerregistry.azure.net';
  world.azure.setRole('server', 'AcrPull', loginServer);
});
afterAll(() => world.azure.stop());

test('each registry password is a new refresh token that is valid for three hours', async () => {
  const [first, second] = [
    (await cloud.registryPassword(loginServer)).password,
    (await cloud.registryPassword(loginServer)).password,
  ];
  const times = readJwt(second.reveal());
  expect(second.reveal()).not.toBe(first.reveal());
  expect(times && times.expiresAt - times.issuedAt).toBe(3 * 3_600_000);
  expect(cloud.registryUser(loginServer)).toBe('00000000-0000-0000-0000-000000000000');
});

interface Case extends Expected {
  readonly name: string;
  readonly arrange: () => void;
}

const cases: readonly Case[] = [
  {
    name: 'a missing role',
    arrange: () => world.azure.setRole('server', 'AcrPull', loginServer, false),
    reason: 'RegistryUnauthorized',
    endedBy: 'time',
    says: /authentication required.*AcrPull/,
  },
  {
    name: 'AcrPull at a registry that uses ABAC',
    arrange: () => {
      registry.mode = 'abac';
    },
    reason: 'RegistryUnauthorized',
    endedBy: 'time',
    says: /Container Registry Repository Reader/,
  },
  {
    name: 'a registry that expects another audience',
    arrange: () => {
      registry.audience = 'https://management.azure.com';
    },
    reason: 'RegistryUnauthorized',
    endedBy: 'time',
    says: /token validation failed.*azure\.registryAudience/,
  },
  {
    name: 'a firewall that blocks the address',
    arrange: () => {
      registry.closed = true;
    },
    reason: 'RegistryForbidden',
    endedBy: 'person',
    says: /not allowed access.*subnet/,
  },
  {
    name: 'throttling',
    arrange: () => registry.faults.fail({ status: 429, headers: { 'retry-after': '9' } }),
    reason: 'Throttled',
    endedBy: 'time',
    after: 9_000,
  },
  {
    name: 'an error of the registry',
    arrange: () => registry.faults.fail({ status: 502 }),
    reason: 'RegistryUnavailable',
    endedBy: 'time',
  },
  {
    name: 'a server that is not an Azure registry',
    arrange: () => registry.faults.fail({ status: 404 }),
    reason: 'UnexpectedAnswer',
    endedBy: 'person',
    says: /registries\.servers/,
  },
  {
    name: 'an HTML page with the status 200',
    arrange: () => registry.faults.fail('garbage'),
    reason: 'UnexpectedAnswer',
    endedBy: 'time',
  },
  {
    name: 'a token without dates',
    arrange: () => registry.faults.fail({ status: 200, body: { refresh_token: 'canary' } }),
    reason: 'UnexpectedAnswer',
    endedBy: 'time',
  },
  {
    name: 'a silent server',
    arrange: () => registry.faults.fail('hang'),
    reason: 'RegistryUnavailable',
    endedBy: 'time',
    says: /did not answer/,
  },
];

describe('a failed request for a registry password', () => {
  test.each(cases)(
    'is reported with a reason and a remedy, and not retried: $name',
    async ({ arrange, ...expected }) => {
      arrange();
      const made = await requestsTo(world.azure, 'registry', () =>
        expectFailure(cloud.registryPassword(loginServer), expected),
      );
      expect(made).toBe(1);
    },
  );
});
