import { describe, expect, test } from 'vitest';
import { probesFor } from '../../../../src/agent/doctor/doctor.ts';
import { examine } from '../../../../src/agent/doctor/probe.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { FakeCloud } from '../../../lab/fake-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { memoryRegistry } from '../../../lab/memory-registry.ts';
import { aNode } from '../a-node.ts';

const server = 'myteam.azurecr.io';
const image = `${server}/hello/world:1`;
const measures = { memoryAvailable: async () => 0, disk: async () => ({ size: 0, available: 0 }) };
const sums = /\/v1\.36\.3%2Bk3s1\/sha256sum-amd64\.txt$/;

function world(proof: readonly string[] = [image]) {
  const host = memoryHost();
  const registry = memoryRegistry(host, server);
  registry.push('hello/world', '1', 5_000);
  host.onGet(sums, `${'0'.repeat(64)}  k3s\n`);
  const secrets = {
    'k3s-token': 'canary-join',
    'k3s-agent-token': 'canary-agent',
    'flux-git-token': 'canary-git',
  };
  const cloud = new FakeCloud({ secrets, registries: [server], clock: host });
  cloud.tag('k3s-role', 'server');
  const node = aNode('server', {
    settings: {
      registries: { servers: [server], proof },
      joinToken: { agentSecretName: 'k3s-agent-token' },
      gitops: { engine: 'flux' },
    },
  });
  return { host, cloud, registry, node };
}

async function lookedAt(
  { host, cloud, node }: ReturnType<typeof world>,
  known = true,
  cloudWarnings: readonly string[] = [],
) {
  const { paths, settings } = node;
  const probes = probesFor({
    ...{
      machine: host,
      measures,
      paths,
      configured: { settings, host, cloud, cloudWarnings, endpoints: [] },
    },
    ...{ node: known ? node : undefined, plan: [], isRunning: async () => true },
  });
  const asked = probes.filter(({ about }) => about === 'cloud');
  return examine(asked, { now: () => host.now() });
}

test('the cloud probes of a server cover the secrets of workloads.secrets', async () => {
  const { host, cloud, registry } = world();
  cloud.secrets.set('cloudflare-token', 'canary-cloudflare');
  const keys = { 'api-token': 'cloudflare-token', 'git-token': 'missing-token' };
  const node = aNode('server', { settings: { workloads: { secrets: { 'apps/tokens': { keys } } } } });
  const found = await lookedAt({ host, cloud, registry, node });
  expect(found.filter(({ what }) => /(cloudflare|missing)-token/.test(what))).toMatchObject([
    { what: 'secret cloudflare-token', level: 'ok' },
    { what: 'secret missing-token', level: 'failure' },
  ]);
});

test('the cloud probes cover everything from the identity to the bytes of an image, and show no secret', async () => {
  const { host, cloud, registry, node } = world();
  const found = await lookedAt({ host, cloud, registry, node });
  expect(found.map(({ what, level }) => `${level} ${what}`)).toEqual([
    'ok metadata service',
    'ok secret k3s-token',
    'ok secret k3s-agent-token',
    'ok secret flux-git-token',
    `ok exchange ${server}`,
    `ok pull ${image}`,
    'ok K3s release',
  ]);
  expect(found[0]?.message).toContain('k3s-role=server');
  expect(registry.pulls).toBe(1);
  expect(JSON.stringify(found)).not.toMatch(/canary|eyJ/);
  expect(host.files.stat('/etc/rancher')).toBeUndefined();
});

test('the cloud probes report a warning about the choice of the cloud, and continue', async () => {
  const found = await lookedAt(world(), true, ['The machine has a sign of the moon.']);
  expect(found[0]).toMatchObject({
    what: 'choice of the cloud',
    level: 'warning',
    message: 'The machine has a sign of the moon.',
  });
  expect(found[1]).toMatchObject({ what: 'metadata service', level: 'ok' });
});

test('the cloud probes try only the login if the settings name no image, and skip the secrets while the role is unknown', async () => {
  const given = world([]);
  expect((await lookedAt(given)).map(({ what }) => what)).toContain(`login ${server}`);
  const found = await lookedAt(given, false);
  expect(found.map(({ what, level }) => `${level} ${what}`)).toContain('skipped secrets');
  expect(found.map(({ what }) => what)).not.toContain('secret k3s-token');
  expect(found.at(-1)).toMatchObject({ what: 'K3s release', level: 'skipped' });
});

describe('the cloud probes', () => {
  const forbidden = new NodeError('VaultForbidden', 'Give it the role Key Vault Secrets User.');

  test('report a vault that denies access', async () => {
    const given = world();
    given.cloud.fail('secret', forbidden);
    const found = await lookedAt(given);
    expect(found[1]).toMatchObject({
      level: 'failure',
      reason: 'VaultForbidden',
      message: forbidden.message,
    });
    expect(found[4]?.level).toBe('ok');
  });

  test('report an invalid or empty secret as SecretEmpty', async () => {
    const given = world();
    given.cloud.secrets.set('k3s-token', 'with blanks in it');
    given.cloud.secrets.set('flux-git-token', ' \n');
    const found = await lookedAt(given);
    expect([found[1]?.reason, found[3]?.reason]).toEqual(['SecretEmpty', 'SecretEmpty']);
  });

  test('report a failed request for a registry password, and skip the pull', async () => {
    const given = world();
    given.cloud.fail('registryPassword', new NodeError('RegistryUnauthorized', 'Give it AcrPull.'));
    const found = await lookedAt(given);
    expect(found[4]).toMatchObject({ level: 'failure', reason: 'RegistryUnauthorized' });
    expect(found[5]?.level).toBe('skipped');
  });

  test('report a registry that accepts the login but denies the pull', async () => {
    const given = world();
    given.registry.denied = true;
    expect((await lookedAt(given))[5]).toMatchObject({ level: 'failure', reason: 'PullDenied' });
  });

  test('accept a release behind one redirect to https, but not behind two redirects or a redirect to http', async () => {
    const given = world();
    given.host.onGet(sums, { status: 302, headers: { location: 'https://storage.example.com/sums' } });
    given.host.onGet('https://storage.example.com/sums', `${'0'.repeat(64)}  k3s\n`);
    expect((await lookedAt(given)).at(-1)).toMatchObject({
      level: 'ok',
      message: 'v1.36.3+k3s1 is at github.com',
    });
    given.host.onGet('https://storage.example.com/sums', { status: 302, headers: { location: '/sums' } });
    expect((await lookedAt(given)).at(-1)).toMatchObject({ level: 'failure' });
    given.host.onGet(sums, { status: 302, headers: { location: 'http://storage.example.com/sums' } });
    expect((await lookedAt(given)).at(-1)).toMatchObject({ level: 'failure' });
  });

  test('report an unreachable release server as a failure, or as a warning if K3s is already installed', async () => {
    const given = world();
    given.host.onGet(sums, new NodeError('Unreachable', 'the connection is refused'));
    given.host.on({ file: '/usr/local/bin/k3s' }, { exitCode: 127 });
    expect((await lookedAt(given)).at(-1)).toMatchObject({ level: 'failure', reason: 'Unreachable' });
    given.host.on({ file: '/usr/local/bin/k3s' }, 'k3s version v1.36.3+k3s1 (abc)\n');
    expect((await lookedAt(given)).at(-1)).toMatchObject({ level: 'warning', reason: 'Unreachable' });
  });

  test('do not show the values of tags that Slipway does not read', async () => {
    const given = world();
    given.cloud.tag('k3s-token', 'canary-in-a-tag');
    expect(JSON.stringify(await lookedAt(given))).not.toContain('canary');
  });

  test.each([
    ['missing', { status: 404 }, /answers 404/],
    ['only for another architecture', { body: 'abc  k3s-armhf\n' }, /does not name k3s/],
  ])('report a release that is %s', async (_, answer, message) => {
    const given = world();
    given.host.onGet(sums, answer);
    const found = (await lookedAt(given)).at(-1);
    expect(found).toMatchObject({ level: 'failure', repair: expect.stringContaining('k3s.version') });
    expect(found?.message).toMatch(message);
  });
});
