import { describe, expect, test } from 'vitest';
import { received } from '../../../../../../src/agent/clouds/jwt.ts';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import type { Resource } from '../../../../../../src/agent/engine/resource.ts';
import { Secret } from '../../../../../../src/agent/engine/secret.ts';
import { recordingHost } from '../../../../../../src/agent/host/recording/recording-host.ts';
import { renderLogins, storedLogin } from '../../../../../../src/agent/parts/registry/login-store.ts';
import { pullProofs } from '../../../../../../src/agent/parts/registry/proof/pull-proof.ts';
import { datedToken, FakeCloud } from '../../../../../lab/fake-cloud.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { memoryRegistry, storage } from '../../../../../lab/memory-registry.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';

const hour = 3_600_000;
const server = 'team.azurecr.io';
const image = `${server}/base:1`;
const yaml = '/etc/rancher/k3s/registries.yaml';
const record = '/run/slipway/pull-proof.json';

function world(proof: readonly string[] = [image]) {
  const host = memoryHost({ now: Date.UTC(2026, 0, 1, 14, 3, 12) });
  const registry = memoryRegistry(host, server);
  const digest = registry.push('base', '1', 4_200_000);
  const cloud = new FakeCloud({ registries: [server], clock: host });
  cloud.images.set(image, digest);
  const node = aNode('agent', { settings: { registries: { servers: [server], proof } } });
  const [resource] = pullProofs(node, cloud, ['Credential/registries']);
  if (!resource) {
    throw new Error('there is no resource');
  }
  return { host, registry, cloud, resource, digest };
}

type World = ReturnType<typeof world>;

/** Writes registries.yaml and the login store as a rotation does. */
function rotate({ host }: Pick<World, 'host'>, id = 'canary', server_ = server): void {
  const password = datedToken(host.now(), 3 * hour, id);
  const auth = { username: 'fake-user', password };
  host.files.write(yaml, JSON.stringify({ configs: { [server_]: { auth } } }), 0o600);
  const login = storedLogin(auth.username, received(new Secret(password), host.now()), host.now());
  host.files.write('/var/lib/slipway/logins.json', renderLogins({ [server_]: login }).reveal(), 0o600);
}

async function message(resource: Resource, host: World['host']): Promise<string | undefined> {
  const finding = await resource.check(host);
  return finding.state === 'Drifted' ? undefined : finding.message;
}

describe('the pull check', () => {
  test('runs once for each credential, and reports its result', async () => {
    const made = world();
    const { host, resource, registry, digest } = made;
    rotate(made);
    expect(await settle(resource, host)).toEqual(['Drifted (non-blocking) pulls', 'InSync']);
    expect(await message(resource, host)).toBe(
      `${image} pulled at 14:03:12Z (${digest.slice(0, 19)}, 64 KiB of 4 MiB of layer 1 of 1 from ${storage}; the identity sees it too) with the credential that ends 17:03Z`,
    );
    expect(registry.pulls).toBe(1);
    host.advance(hour);
    expect(await settle(resource, host)).toEqual(['InSync']);
    rotate(made, 'canary-2');
    expect(await settle(resource, host)).toEqual(['Drifted (non-blocking) pulls', 'InSync']);
    expect(await message(resource, host)).toMatch(/pulled at 15:03:12Z .* ends 18:03Z$/);
    expect(registry.pulls).toBe(2);
  });

  test('leaves a private record that does not contain the credential, and is repeated if the record is damaged', async () => {
    const made = world();
    const { host, resource, registry } = made;
    rotate(made);
    await settle(resource, host);
    const written = host.files.read(record);
    expect(written?.mode).toBe(0o600);
    expect(JSON.parse(written?.content ?? '')).toEqual({
      format: 1,
      servers: {
        [server]: {
          credential: expect.stringMatching(/^[0-9a-f]{64}$/),
          images: [image],
          result: expect.stringContaining('pulled at'),
        },
      },
    });
    expect(written?.content).not.toMatch(/canary|eyJ/);
    for (const damage of [
      '{',
      'null',
      '[]',
      '{"team.azurecr.io":7}',
      '{"team.azurecr.io":{"credential":"x"}}',
      '{"format":2,"servers":[]}',
      '{"format":2,"servers":{"team.azurecr.io":{"credential":"x"}}}',
    ]) {
      host.files.write(record, damage, 0o600);
      expect(await settle(resource, host)).toEqual(['Drifted (non-blocking) pulls', 'InSync']);
    }
    expect(registry.pulls).toBe(8);
  });

  test.each([
    ['that wrote no format number', (servers: object) => servers],
    [
      'that wrote a higher format number',
      (servers: object) => ({ format: 9, servers: { ...servers, 'x.io': 7 }, new: [1] }),
    ],
  ])('reads the record of a Slipway release %s', async (_, recorded) => {
    const made = world();
    rotate(made);
    await settle(made.resource, made.host);
    const { servers } = JSON.parse(made.host.files.text(record) ?? '');
    made.host.files.write(record, JSON.stringify(recorded(servers)), 0o600);
    expect(await settle(made.resource, made.host)).toEqual(['InSync']);
    expect(made.registry.pulls).toBe(1);
  });

  test('shows no part of the credential in its changes, not even a digest', async () => {
    const made = world();
    rotate(made);
    const drifts: unknown[] = [];
    for (const id of ['canary-1', 'canary-2']) {
      rotate(made, id);
      const finding = await made.resource.check(made.host);
      if (finding.state !== 'Drifted') {
        throw new Error('it is in sync');
      }
      drifts.push(finding.drift.changes);
      await finding.drift.remedy(made.host);
    }
    expect(drifts).toEqual([
      [{ field: 'pulls', observed: undefined, desired: 'proven' }],
      [{ field: 'pulls', observed: 'proven for another credential', desired: 'proven' }],
    ]);
  });

  test('covers all images of its server, and is repeated when the images change', async () => {
    const made = world([image, 'other.azurecr.io/x:1', `${server}/more/tools:2`]);
    const { host, registry, cloud } = made;
    registry.push('more/tools', '2', 500);
    rotate(made);
    expect((await settle(made.resource, host)).at(-1)).toBe('InSync');
    expect(await message(made.resource, host)).toMatch(
      /^team\.azurecr\.io\/base:1 pulled .*; team\.azurecr\.io\/more\/tools:2 pulled .*\(sha256:\w{12}, 500 bytes of 500 bytes of layer 1 of 1 .*the identity's own look at it failed: ProofImageNotFound\)/,
    );
    const fewer = aNode('agent', { settings: { registries: { servers: [server], proof: [image] } } });
    const [resource] = pullProofs(fewer, cloud, []);
    expect(resource && (await settle(resource, host))).toEqual(['Drifted (non-blocking) pulls', 'InSync']);
  });

  test('has a separate Resource and a separate record for each server', async () => {
    const made = world();
    const { host, cloud } = made;
    memoryRegistry(host, 'two.azurecr.io');
    const settings = { registries: { servers: [server, 'two.azurecr.io'], proof: [image] } };
    const plan = pullProofs(aNode('agent', { settings }), cloud, []);
    expect(plan.map(({ id, summary }) => `${id}: ${summary}`)).toEqual([
      `PullProof/${server}: prove a pull of ${image}`,
      'PullProof/two.azurecr.io: prove the login to two.azurecr.io',
    ]);
    const login = (id: string) => ({ username: 'fake-user', password: datedToken(host.now(), 3 * hour, id) });
    const configs = { [server]: { auth: login('canary-1') }, 'two.azurecr.io': { auth: login('canary-2') } };
    host.files.write(yaml, JSON.stringify({ configs }), 0o600);
    for (const resource of plan) {
      expect((await settle(resource, host)).at(-1)).toBe('InSync');
    }
    for (const resource of plan) {
      expect(await outcome(resource, host)).toBe('InSync');
    }
  });

  test('checks only the login if the settings name no image, and reports how to check a pull', async () => {
    const made = world([]);
    rotate(made);
    expect(await settle(made.resource, made.host)).toEqual(['Drifted (non-blocking) pulls', 'InSync']);
    expect(await message(made.resource, made.host)).toBe(
      `logged in to ${server} at 14:03:12Z (name an image of it in registries.proof, and a pull is proven) with the credential that ends 17:03Z`,
    );
    expect(made.cloud.calls).toEqual([]);
  });

  test.each([
    ['does not expire', 'canary'],
    ['has an expiry that no Date can represent', datedToken(Date.UTC(2026, 0, 1), 1e19)],
  ])('reports no expiry if the credential %s', async (_what, password) => {
    const made = world();
    made.host.onGet(/oauth2\/token/, { body: '{"token":"repository:base:pull#"}' });
    const auth = { username: 'fake-user', password };
    made.host.files.write(yaml, JSON.stringify({ configs: { [server]: { auth } } }), 0o600);
    expect(await settle(made.resource, made.host)).toEqual(['Drifted (non-blocking) pulls', 'InSync']);
    expect(await message(made.resource, made.host)).toMatch(/with the credential of registries\.yaml$/);
  });

  test('does not block dependants if its record cannot be read', async () => {
    const made = world();
    rotate(made);
    const read = made.host.readFile.bind(made.host);
    const refused = new NodeError('PermissionDenied', 'no');
    made.host.readFile = (path) => (path === record ? Promise.reject(refused) : read(path));
    expect(await outcome(made.resource, made.host)).toBe('PermissionDenied (time, non-blocking)');
  });

  test.each([
    ['registries.yaml is missing', () => {}],
    ['registries.yaml is damaged', ({ host }: World) => host.files.write(yaml, '{', 0o600)],
    [
      'registries.yaml has no credential for this server',
      (made: World) => rotate(made, 'canary', 'other.azurecr.io'),
    ],
    [
      'registries.yaml has a credential of another user',
      ({ host }: World) =>
        host.files.write(
          yaml,
          JSON.stringify({ configs: { [server]: { auth: { username: 'me', password: 'canary' } } } }),
        ),
    ],
  ])('waits for a credential without blocking if %s', async (_what, arrange) => {
    const made = world();
    arrange(made);
    expect(await made.resource.check(made.host)).toMatchObject({
      state: 'Waiting',
      reason: 'Blocked',
      message: expect.stringContaining(server),
      blocks: false,
    });
    expect(made.host.journal).toEqual([]);
  });

  test('fails without a request once its credential has expired', async () => {
    const made = world();
    rotate(made);
    await settle(made.resource, made.host);
    const { length } = made.host.journal;
    expect(await made.resource.check(made.host)).toMatchObject({ until: made.host.now() + 3 * hour });
    made.host.advance(3 * hour);
    await expect(made.resource.check(made.host)).rejects.toMatchObject({
      reason: 'PullCredentialRefused',
      endedBy: 'person',
      blocks: false,
      message: expect.stringContaining('ended at 2026-01-01T17:03:12.000Z'),
    });
    expect(made.host.journal).toHaveLength(length);
  });

  test('uses the credential in registries.yaml, even if the store has a different one', async () => {
    const made = world();
    rotate(made, 'canary-2');
    const text = made.host.files.text(yaml) ?? '';
    made.host.advance(hour);
    rotate(made, 'canary-3');
    made.host.files.write(yaml, text, 0o600);
    await settle(made.resource, made.host);
    expect(await message(made.resource, made.host)).toMatch(/with the credential of registries\.yaml$/);
    expect(await made.resource.check(made.host)).not.toHaveProperty('until');
  });

  test('writes no record if the storage cannot be reached, and is repeated until it succeeds', async () => {
    const made = world();
    rotate(made);
    made.registry.storage = 'is away';
    expect(await settle(made.resource, made.host)).toEqual([
      'Drifted (non-blocking) pulls',
      'StorageUnreachable (time)',
    ]);
    expect(made.host.files.text(record)).toBeUndefined();
    expect(made.cloud.calls).toEqual([]);
    made.registry.storage = 'sends';
    expect(await settle(made.resource, made.host)).toEqual(['Drifted (non-blocking) pulls', 'InSync']);
  });

  test('records a refused credential, and is repeated within seconds, then less often, until it succeeds', async () => {
    const made = world();
    rotate(made);
    made.registry.refuses = true;
    expect(await settle(made.resource, made.host)).toEqual([
      'Drifted (non-blocking) pulls',
      'PullCredentialRefused (time)',
    ]);
    expect(JSON.parse(made.host.files.text(record) ?? '')).toMatchObject({
      servers: { [server]: { result: 'refused at 14:03:12Z', refused: true } },
    });
    expect(await settle(made.resource, made.host)).toEqual([
      'Drifted (non-blocking) pulls',
      'PullCredentialRefused (person)',
    ]);
    made.registry.refuses = false;
    expect(await settle(made.resource, made.host)).toEqual(['Drifted (non-blocking) pulls', 'InSync']);
    expect(made.host.files.text(record)).not.toContain('"refused":');
  });

  test('writes nothing in a dry run', async () => {
    const made = world();
    rotate(made);
    const dry = recordingHost(made.host);
    const finding = await made.resource.check(dry);
    if (finding.state !== 'Drifted') {
      throw new Error('it is in sync');
    }
    await expect(finding.drift.remedy(dry)).rejects.toMatchObject({ name: 'Recorded' });
    expect(dry.journal).toEqual([
      { kind: 'send', method: 'GET', url: `https://${server}/v2/base/manifests/1` },
    ]);
    expect([made.cloud.calls, made.host.journal]).toEqual([[], []]);
  });
});

describe('the message about the access of the identity', () => {
  const denied = new NodeError('PullDenied', 'It may not see it.');
  const gone = new NodeError('RegistryUnavailable', 'It is away.');

  test.each<readonly [string, (made: World) => unknown, RegExp]>([
    [
      'is empty if the cloud cannot check the access',
      ({ cloud }) => Object.assign(cloud, { imageDigest: async () => undefined }),
      / from \S+\) with/,
    ],
    [
      'shows the different digest that the identity sees',
      ({ cloud }) => cloud.images.set(image, 'sha256:abc'),
      /the identity sees sha256:abc there, a moved tag\)/,
    ],
    [
      'shows that the identity is denied access',
      ({ cloud }) => cloud.fail('imageDigest', denied),
      /the identity's own look at it failed: PullDenied\)/,
    ],
    [
      'shows that the registry did not answer the identity',
      ({ cloud }) => cloud.fail('imageDigest', gone),
      /own look at it failed: RegistryUnavailable\)/,
    ],
  ])('after a successful pull %s', async (_what, arrange, says) => {
    const made = world();
    arrange(made);
    rotate(made);
    expect((await settle(made.resource, made.host)).at(-1)).toBe('InSync');
    expect(await message(made.resource, made.host)).toMatch(says);
  });

  const may = () => {};
  const mayNot = ({ cloud }: World) => cloud.fail('imageDigest', denied);
  const isUnknown = ({ cloud }: World) =>
    cloud.fail('imageDigest', new NodeError('RegistryUnauthorized', 'Who?'));
  const isAway = ({ cloud }: World) => cloud.fail('imageDigest', gone);
  const noScope = ({ registry }: World) => Object.assign(registry, { denied: true });
  const noLogin = ({ host }: World) => host.onGet(/oauth2\/token/, { status: 401 });

  test.each<readonly [string, (made: World) => unknown, (made: World) => unknown, string, RegExp]>([
    [
      'a denied pull if the identity has access',
      noScope,
      may,
      'PullDenied',
      /AcrPull.*does see .*older credential.*registries\.schedule.*reload slipway\.$/,
    ],
    [
      'a denied pull if the identity has no access',
      noScope,
      mayNot,
      'PullDenied',
      /^The identity itself has no access either\. It may not see it\.$/,
    ],
    [
      'a denied pull if the registry does not know the identity',
      noScope,
      isUnknown,
      'PullDenied',
      /no access either\. Who\?$/,
    ],
    [
      'a denied pull if the registry does not answer',
      noScope,
      isAway,
      'PullDenied',
      /^team\.azurecr\.io accepts the credential/,
    ],
    [
      'a refused login if the identity has access',
      noLogin,
      may,
      'PullCredentialRefused',
      /reload slipway\. The identity .*does see .*another identity\.$/,
    ],
    ['a refused login if the identity has no access', noLogin, mayNot, 'PullDenied', /no access either/],
    [
      'a refused login if the registry does not answer',
      noLogin,
      isAway,
      'PullCredentialRefused',
      /does not accept/,
    ],
  ])('explains %s', async (_what, fail, arrange, reason, says) => {
    const made = world();
    fail(made);
    arrange(made);
    rotate(made);
    const finding = await made.resource.check(made.host);
    const remedy = finding.state === 'Drifted' ? finding.drift.remedy(made.host) : undefined;
    await expect(remedy).rejects.toMatchObject({ reason, message: expect.stringMatching(says) });
  });
});
