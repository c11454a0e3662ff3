import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { Secret } from '../../src/agent/engine/secret.ts';
import { objectStore, storeAddress } from '../../src/agent/stores/index.ts';
import { memoryHost } from '../lab/memory-host.ts';
import { blobStage, oracleStage, s3Stage } from './store-worlds.ts';

const started: { dispose(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((stage) => stage.dispose()));
});

async function begun<Stage extends { dispose(): Promise<void> }>(make: () => Promise<Stage>): Promise<Stage> {
  const stage = await make();
  started.push(stage);
  return stage;
}

/** Returns the error of an attempt, and expects it to contain no secret. */
async function errorOf(attempt: Promise<unknown>): Promise<NodeError> {
  const thrown = await attempt.catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(NodeError);
  expect(inspect(thrown, { depth: 20, showHidden: true })).not.toMatch(/canary|eyJ|PRIVATE/);
  return thrown instanceof NodeError ? thrown : new NodeError('InternalError', 'nothing was thrown');
}

function shown({ reason, endedBy, message }: NodeError) {
  return { reason, endedBy, message };
}

describe('Azure Blob Storage', () => {
  test('names the role of the identity if it is missing', async () => {
    const stage = await begun(blobStage);
    stage.service.rights = [];
    const { store } = stage;
    for (const attempt of [() => store.claim('a', 'b'), () => store.list(''), () => store.read('a', 1)]) {
      expect(shown(await errorOf(attempt()))).toEqual({
        reason: 'StoreForbidden',
        endedBy: 'time',
        message: expect.stringMatching(
          /^The container backups of the storage account slipwaylab refuses this node\. It says: This request is not authorized .*\. Assign the identity of this VM the role Storage Blob Data Contributor/,
        ),
      });
    }
  });

  test('names the firewall of the account', async () => {
    const stage = await begun(blobStage);
    stage.service.closed = true;
    expect(shown(await errorOf(stage.store.list('')))).toMatchObject({
      reason: 'StoreForbidden',
      message: expect.stringContaining('networking settings'),
    });
  });

  test('does not remove a blob that a policy protects', async () => {
    const stage = await begun(blobStage);
    await stage.store.claim('a', 'b');
    stage.service.immutable = true;
    expect(await stage.store.remove('a')).toBe('refused');
    expect(await stage.store.read('a', 9)).toBe('b');
  });

  test('lists thousands of blobs in pages of a thousand, since the Host refuses a larger answer', async () => {
    const { service, store, log } = await begun(blobStage);
    service.pageSize = 5_000;
    const blob = { content: Buffer.from('x'), sha256: undefined, modifiedAt: Date.UTC(2026, 10, 30) };
    for (let at = 0; at < 6_000; at += 1) {
      service.blobs.set(`team/one/0123456789ab/20261130T12${1_000 + at}Z-vm-1/datastore.zst`, blob);
    }
    expect(await store.list('')).toHaveLength(6_000);
    expect(log.filter(({ query }) => query.includes('comp=list'))).toHaveLength(6);
  });

  test('is refused to a VM of another cloud, before any request', () => {
    const cloud = { name: 'static', secret: () => Promise.reject(new Error('asked')) };
    const to = 'https://team.blob.core.windows.net/backups';
    expect(() => objectStore({ to }, { host: memoryHost(), cloud })).toThrow(
      /only a VM in Azure .* cloud static/,
    );
  });
});

describe('S3', () => {
  test.each<[string, (stage: Awaited<ReturnType<typeof s3Stage>>) => void, string, RegExp]>([
    [
      'the clock of this machine',
      ({ service }) => {
        service.now = () => Date.now() + 16 * 60_000;
      },
      'StoreForbidden',
      /timedatectl/,
    ],
    [
      'a missing right',
      ({ service }) => {
        service.denied = ['PUT', 'GET', 'LIST', 'HEAD'];
      },
      'StoreForbidden',
      /s3:PutObject/,
    ],
    [
      'a busy service',
      ({ faults }) => faults.fail({ status: 503, headers: { 'retry-after': '7' } }),
      'StoreUnavailable',
      /503/,
    ],
    [
      'a page of something else',
      ({ faults }) => faults.fail('garbage'),
      'UnexpectedAnswer',
      /something else/,
    ],
    ['a cut connection', ({ faults }) => faults.fail('reset'), 'StoreUnavailable', /cannot be reached/],
    [
      'a bucket in another region',
      ({ faults }) => faults.fail({ status: 301, body: '<Error><Code>PermanentRedirect</Code></Error>' }),
      'StoreForbidden',
      /backup\.s3\.region/,
    ],
  ])('reports %s', async (_, spoil, reason, says) => {
    const stage = await begun(s3Stage);
    spoil(stage);
    const error = await errorOf(stage.store.list(''));
    expect([error.reason, error.message]).toEqual([reason, expect.stringMatching(says)]);
  });

  test.each(['', 'no colon', 'id:', ':secret', 'id:with blank', 'a/b:c'])(
    'refuses %j as a key, without a request, and without showing it',
    async (value) => {
      const cloud = { name: 'static', secret: async () => new Secret(value) };
      const store = objectStore({ to: 's3://backups' }, { host: memoryHost(), cloud });
      expect(shown(await errorOf(store.read('a', 1)))).toEqual({
        reason: 'StoreForbidden',
        endedBy: 'person',
        message:
          'The secret "backup-s3" is not a key for an S3-compatible store. Write it as ACCESS_KEY_ID:SECRET_ACCESS_KEY on one line.',
      });
    },
  );

  test('reads the key again after a refusal, so that a new version of the secret works', async () => {
    const stage = await begun(s3Stage);
    const { port } = new URL(`http://127.0.0.1:${stage.service.port()}`);
    const values = ['AKIDOLD:canary', 'AKIDLAB:canary/of+the/key'];
    let asked = 0;
    const cloud = {
      name: 'static',
      secret: async () => {
        asked += 1;
        return new Secret(values[asked - 1] ?? '');
      },
    };
    const settings = {
      to: 's3://backups/team',
      s3: { endpoint: `http://127.0.0.1:${port}`, region: 'eu-lab-1' },
    };
    const store = objectStore(settings, { host: stage.host, cloud });
    expect((await errorOf(store.list(''))).message).toContain('backup.s3.secretName');
    expect(await store.list('')).toEqual([]);
    expect(await store.list('')).toEqual([]);
    expect(asked).toBe(2);
  });

  test('stores and reads objects of a key without the right to list, but not a missing one', async () => {
    const stage = await begun(s3Stage);
    stage.service.denied = ['LIST', 'HEAD'];
    await stage.host.writeFile(`${stage.folder}/from`, 'text', { mode: 0o600 });
    const content = { bytes: 4, sha256: '982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1' };
    await stage.store.put('a', `${stage.folder}/from`, content);
    expect(await stage.store.read('a', 9)).toBe('text');
  });
});

describe("Oracle Cloud's Object Storage", () => {
  test('names the policy, because a missing right looks like a missing bucket', async () => {
    const stage = await begun(oracleStage);
    stage.service.exists = false;
    expect(shown(await errorOf(stage.store.claim('a', 'b')))).toEqual({
      reason: 'StoreNotFound',
      endedBy: 'time',
      message: expect.stringMatching(/bucket Backups .* target\.bucket\.name = 'Backups'/),
    });
  });

  test('is refused to a VM of another cloud', () => {
    const cloud = { name: 'azure', secret: () => Promise.reject(new Error('asked')) };
    expect(() => objectStore({ to: 'oci://ns/b' }, { host: memoryHost(), cloud })).toThrow(/Oracle Cloud/);
  });
});

describe('a list without an end', () => {
  test('is given up after a hundred pages', async () => {
    const stage = await begun(s3Stage);
    const page =
      '<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken></ListBucketResult>';
    stage.faults.fail({ status: 200, body: page });
    expect((await errorOf(stage.store.list(''))).reason).toBe('StoreLimit');
    expect(stage.log).toHaveLength(100);
  });
});

test.each([
  ['/', false],
  ['relative', false],
  ['/mnt/../etc', false],
  ['/mnt/backup', true],
  ['/mnt/.hidden', false],
  ['https://team.blob.core.windows.net/backups', true],
  ['https://team.blob.core.windows.net/backups/a/b', true],
  ['https://team.blob.core.windows.net', false],
  ['https://team.blob.core.windows.net/backups?sig=x', false],
  ['https://team.blob.core.windows.net.evil.test/backups', false],
  ['https://user:pw@team.blob.core.windows.net/backups', false],
  ['http://team.blob.core.windows.net/backups', false],
  ['s3://team-backups', true],
  ['s3://team-backups/k3s', true],
  ['s3://Team', false],
  ['s3://team-backups/../x', false],
  ['oci://ns/Bucket_1', true],
  ['oci://ns/Bucket_1/a', true],
  ['oci://ns', false],
  ['gs://bucket', false],
])('the address %s of a store is valid: %s', (address, isValid) => {
  expect(storeAddress.safeParse(address).success).toBe(isValid);
});
