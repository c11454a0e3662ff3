import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { Host, HttpSend } from '../../src/agent/engine/host.ts';
import type { Incoming, Reply } from '../lab/azure/loopback.ts';
import { reasonOf } from './store.ts';
import { blobStage, oracleStage, type ServiceStage, s3Stage } from './store-worlds.ts';

interface Service {
  exists: boolean;
  readonly hidden: Set<string>;
  answer(request: Incoming): Reply;
}

const own = 'vm-1 founds 0123456789ab';
const name = 'cluster/0123456789ab';

/** Returns a host whose PUT requests reach the service, but whose answers are lost. */
function losingAnswers(host: Host, isLost: (request: HttpSend) => boolean): Host {
  return {
    ...host,
    async send(request) {
      const answer = await host.send(request);
      if (isLost(request)) {
        throw new NodeError('TimedOut', 'no answer came');
      }
      return answer;
    },
  };
}

function isClaim({ method, url }: HttpSend): boolean {
  return method === 'PUT' && decodeURIComponent(url).endsWith(name);
}

describe.each<[string, () => Promise<ServiceStage<Service>>]>([
  ['Azure Blob Storage', blobStage],
  ['S3', s3Stage],
  ['Object Storage', oracleStage],
])('a claim in %s', (_, make) => {
  let stage: ServiceStage<Service>;
  beforeEach(async () => {
    stage = await make();
  });
  afterEach(() => stage.dispose());

  /** Makes the service answer requests for the claim with `answer`, which gets the true answer. */
  function distort(method: string, answer: (real: Reply) => Reply): void {
    const { service } = stage;
    const real = service.answer.bind(service);
    service.answer = (request) => {
      const reply = real(request);
      const isMeant = request.method === method && decodeURIComponent(request.url.pathname).endsWith(name);
      return isMeant ? answer(reply) : reply;
    };
  }

  test('is never granted by a call whose answer was lost, and is granted by the next call', async () => {
    const unlucky = stage.storeOn(losingAnswers(stage.host, isClaim));
    expect(await reasonOf(unlucky.claim(name, own))).toBe('StoreUnavailable');
    expect(await stage.other.claim(name, 'vm-2')).toBe('exists');
    expect(await stage.store.claim(name, own)).toBe('claimed');
  });

  test('is lost if another node was first while an answer was lost', async () => {
    expect(await stage.other.claim(name, 'vm-2')).toBe('claimed');
    const unlucky = stage.storeOn(losingAnswers(stage.host, isClaim));
    expect(await reasonOf(unlucky.claim(name, own))).toBe('StoreUnavailable');
    expect(await stage.store.claim(name, own)).toBe('exists');
  });

  test('is never granted by an error, although the service has stored it', async () => {
    distort('PUT', () => ({ status: 503, body: 'busy' }));
    expect(await reasonOf(stage.store.claim(name, own))).toBe('StoreUnavailable');
  });

  test.each<[number, string]>([
    [302, 'UnexpectedAnswer'],
    [206, 'UnexpectedAnswer'],
    [400, 'UnexpectedAnswer'],
    [409, 'StoreUnavailable'],
    [429, 'Throttled'],
  ])('is never granted by the status %s of something between', async (status, reason) => {
    distort('PUT', () => ({
      status,
      headers: { location: 'https://elsewhere.test/' },
      body: '<p>hello</p>',
    }));
    expect(await reasonOf(stage.store.claim(name, own))).toBe(reason);
  });

  test('is in doubt if the object exists, but the service does not show it yet', async () => {
    expect(await stage.other.claim(name, 'vm-2')).toBe('claimed');
    const { hidden } = stage.service;
    for (const within of ['team/one', 'team']) {
      hidden.add(`${within}/${name}`);
    }
    expect(await reasonOf(stage.store.claim(name, own))).toBe('StoreUncertain');
    hidden.clear();
    expect(await stage.store.claim(name, own)).toBe('exists');
  });

  test('is not taken over by a text that only begins alike', async () => {
    expect(await stage.other.claim(name, `${own} and more`)).toBe('claimed');
    expect(await stage.store.claim(name, own)).toBe('exists');
  });

  test('sends no credential to the target of a redirect', async () => {
    distort('PUT', () => ({ status: 307, headers: { location: 'http://127.0.0.1:1/stolen' }, body: '' }));
    await reasonOf(stage.store.claim(name, own));
    expect(stage.log.filter(({ path }) => path.includes('stolen'))).toEqual([]);
  });
});

test('an S3-compatible service that replaces objects in spite of If-None-Match gets no claim', async () => {
  const stage = await s3Stage();
  stage.service.ignoresConditions = true;
  for (const store of [stage.store, stage.other, stage.store]) {
    expect(await reasonOf(store.claim(name, own))).toBe('StoreUnsuitable');
  }
  expect(await stage.store.read(name, 100)).toBeUndefined();
  await stage.dispose();
});

test('a role in Azure without the right to write blobs can claim and repeat a claim', async () => {
  const stage = await blobStage();
  stage.service.rights = ['read', 'add'];
  expect(await stage.store.claim(name, own)).toBe('claimed');
  expect(await stage.store.claim(name, own)).toBe('claimed');
  expect(await stage.other.claim(name, 'vm-2')).toBe('exists');
  await stage.dispose();
});
