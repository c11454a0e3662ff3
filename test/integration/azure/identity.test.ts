import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Cloud } from '../../../src/agent/clouds/cloud.ts';
import { vmIdentity } from '../../lab/azure/index.ts';
import type { Fault } from '../../lab/azure/loopback.ts';
import {
  type Expected,
  expectFailure,
  loginServer,
  requestsTo,
  secret,
  startWorld,
  type World,
} from './world.ts';

// All tests share one cloud, since MSAL keeps the network client and the tokens of the first credential until the
// process ends. Tests of failures come first, since a successful request caches the token.
let world: World;
let cloud: Cloud;
beforeAll(async () => {
  world = await startWorld();
  cloud = world.cloud({ environment: 'public' });
});
beforeEach(() => world.azure.node('server').faults.heal());
afterAll(() => world.azure.stop());

const cases: readonly [string, Fault, Expected][] = [
  [
    '404, as during an update of the endpoint',
    { status: 404 },
    { reason: 'ManagedIdentityUnavailable', endedBy: 'time' },
  ],
  [
    '410, as during an update of up to 70 seconds',
    { status: 410 },
    { reason: 'ManagedIdentityUnavailable', endedBy: 'time' },
  ],
  ['429', { status: 429 }, { reason: 'Throttled', endedBy: 'time' }],
  [
    '429 with a Retry-After',
    { status: 429, headers: { 'retry-after': '2' } },
    { reason: 'Throttled', endedBy: 'time', after: 2000 },
  ],
  [
    '500',
    { status: 500, body: { error: 'unknown' } },
    { reason: 'ManagedIdentityUnavailable', endedBy: 'time' },
  ],
  [
    '503 with an HTML page',
    { status: 503, body: '<html>busy</html>' },
    { reason: 'ManagedIdentityUnavailable', endedBy: 'time' },
  ],
  ['403', { status: 403, body: 'unreachable network' }, { reason: 'UnexpectedAnswer', endedBy: 'person' }],
  ['200 without a token', { status: 200, body: {} }, { reason: 'UnexpectedAnswer', endedBy: 'time' }],
  ['200 with an HTML page', 'garbage', { reason: 'UnexpectedAnswer', endedBy: 'time' }],
  [
    'a reset connection',
    'reset',
    { reason: 'ManagedIdentityUnavailable', endedBy: 'time', says: /ECONNRESET/ },
  ],
  [
    'a silent endpoint',
    'hang',
    { reason: 'ManagedIdentityUnavailable', endedBy: 'time', says: /did not answer/ },
  ],
];

test.each(cases)(
  'a failed token request is reported with a reason, and not retried: %s',
  async (_name, fault, expected) => {
    world.azure.node('server').faults.fail(fault, { on: /identity/ });
    const requests = await requestsTo(world.azure, 'imds', () =>
      expectFailure(cloud.secret('k3s-token'), expected),
    );
    expect(requests).toBe(1);
  },
);

test('a VM without an identity is reported as ManagedIdentityMissing', async () => {
  const { vm } = world.azure.node('server');
  const [own] = vm.identities.splice(0);
  await expectFailure(cloud.secret('k3s-token'), {
    reason: 'ManagedIdentityMissing',
    endedBy: 'time',
    says: /Identity not found.*system-assigned/,
  });
  if (own) {
    vm.identities.push(own);
  }
});

test('several user-assigned identities are reported as ManagedIdentityAmbiguous unless azure.identity.clientId is set', async () => {
  const { vm } = world.azure.node('server');
  const own = vm.identities.splice(0);
  vm.identities.push(vmIdentity('user'), vmIdentity('user'));
  await expectFailure(cloud.secret('k3s-token'), {
    reason: 'ManagedIdentityAmbiguous',
    endedBy: 'person',
    says: /azure\.identity\.clientId/,
  });
  vm.identities = own;
});

test('the error about an audience unknown to Entra ID names the setting azure.registryAudience', async () => {
  const body = {
    error: 'invalid_resource',
    error_description: 'AADSTS500011: The resource principal was not found.',
  };
  world.azure.node('server').faults.fail({ status: 400, body }, { on: /identity/ });
  await expectFailure(cloud.registryPassword(loginServer), {
    reason: 'UnexpectedAnswer',
    endedBy: 'person',
    says: /containerregistry\.azure\.net.*AADSTS500011.*azure\.registryAudience/,
  });
});

test('concurrent reads of a secret share one token request', async () => {
  const requests = await requestsTo(world.azure, 'imds', async () => {
    const reads = await Promise.all([1, 2, 3, 4].map(() => cloud.secret('k3s-token')));
    expect(new Set(reads.map((each) => each.reveal()))).toEqual(new Set([secret]));
  });
  expect(requests).toBe(1);
});

test('a cached token is used while the metadata service hangs', async () => {
  world.azure.node('server').faults.fail('hang');
  expect((await cloud.secret('k3s-token')).reveal()).toBe(secret);
});
