import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Fault } from '../../lab/azure/loopback.ts';
import { type Expected, expectFailure, requestsTo, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => world.azure.node('server').faults.heal());
afterAll(() => world.azure.stop());

const cases: readonly [string, Fault, Expected][] = [
  [
    '400',
    { status: 400, body: { error: 'Bad request.' } },
    { reason: 'UnexpectedAnswer', endedBy: 'person', says: /Bad request.*imdsEndpoint/ },
  ],
  ['405', { status: 405 }, { reason: 'UnexpectedAnswer', endedBy: 'person' }],
  ['404', { status: 404 }, { reason: 'IdentityUnavailable', endedBy: 'time' }],
  ['410', { status: 410 }, { reason: 'IdentityUnavailable', endedBy: 'time' }],
  ['429', { status: 429 }, { reason: 'Throttled', endedBy: 'time' }],
  [
    '429 with a Retry-After',
    { status: 429, headers: { 'retry-after': '7' } },
    { reason: 'Throttled', endedBy: 'time', after: 7000 },
  ],
  ['500', { status: 500 }, { reason: 'IdentityUnavailable', endedBy: 'time' }],
  [
    '503 with a Retry-After',
    { status: 503, headers: { 'retry-after': '3' } },
    { reason: 'IdentityUnavailable', endedBy: 'time', after: 3000 },
  ],
  [
    '200 with an HTML page',
    'garbage',
    { reason: 'UnexpectedAnswer', endedBy: 'time', says: /not the instance metadata service/ },
  ],
  [
    'an incomplete document',
    { status: 200, body: { compute: { name: 'x' } } },
    { reason: 'UnexpectedAnswer', endedBy: 'time' },
  ],
  ['200 with null as the body', { status: 200, body: null }, { reason: 'UnexpectedAnswer', endedBy: 'time' }],
  [
    'a reset connection',
    'reset',
    { reason: 'IdentityUnavailable', endedBy: 'time', says: /ECONNRESET.*static/ },
  ],
  ['a silent service', 'hang', { reason: 'IdentityUnavailable', endedBy: 'time', says: /did not answer/ }],
];

test.each(cases)(
  'a failed request to the metadata service is reported with a reason, and not retried: %s',
  async (_name, fault, expected) => {
    world.azure.node('server').faults.fail(fault);
    const requests = await requestsTo(world.azure, 'imds', () =>
      expectFailure(world.cloud().identity(), expected),
    );
    expect(requests).toBe(1);
  },
);

test('a request to the metadata service bypasses the proxy and has a timeout of five seconds', async () => {
  const proxied = await requestsTo(world.azure, 'proxy', () => world.cloud().identity());
  expect(proxied).toBe(0);
  expect(new Set(world.timeouts)).toEqual(new Set([5000]));
});

test('the emulated metadata service throttles more than five requests per second', async () => {
  const imds = world.azure.node('server');
  imds.rateLimit = true;
  const cloud = world.cloud();
  const all = await Promise.allSettled(Array.from({ length: 30 }, () => cloud.identity()));
  imds.rateLimit = false;
  const refused = all.filter((each) => each.status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  for (const { reason } of refused) {
    expect(reason).toMatchObject({ reason: 'Throttled' });
  }
});

test('the tags of the VM are read again on each call, and their names are converted to lower case', async () => {
  const cloud = world.cloud();
  const { vm } = world.azure.node('server');
  expect((await cloud.identity()).tags).toEqual({});
  vm.tags = { 'K3S-ROLE': 'agent', 'k3s-server': 'a;b:c' };
  expect((await cloud.identity()).tags).toEqual({ 'k3s-role': 'agent', 'k3s-server': 'a;b:c' });
});
