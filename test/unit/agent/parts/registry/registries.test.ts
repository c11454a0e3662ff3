import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { recordingHost } from '../../../../../src/agent/host/recording/recording-host.ts';
import { registries } from '../../../../../src/agent/parts/registry/registries.ts';
import {
  parseRegistries,
  renderRegistries,
  withoutAuth,
} from '../../../../../src/agent/parts/registry/registries-yaml.ts';
import { FakeCloud } from '../../../../lab/fake-cloud.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, failure, outcome, settle, someSettings } from '../../a-node.ts';

const path = '/etc/rancher/k3s/registries.yaml';
const minute = 60_000;
const hour = 60 * minute;
const server = 'myteam.azurecr.io';

describe('renderRegistries', () => {
  const logins = new Map([[server, { username: 'user', password: new Secret('p"w: #1') }]]);

  test('a login server', () => {
    const { registries: settings } = someSettings({ registries: { servers: [server] } });
    const rendered = renderRegistries(settings, logins);
    expect(
      rendered.reveal(),
    ).toBe(`# Written by Slipway, which renews it; change the settings under registries instead.
"mirrors":
  "myteam.azurecr.io":
    "endpoint":
      - "https://myteam.azurecr.io"
"configs":
  "myteam.azurecr.io":
    "auth":
      "username": "user"
      "password": "p\\"w: #1"
`);
    expect(`${rendered}`).toContain('"password": "‹redacted›"');
    expect(`${rendered}`).not.toContain('#1');
  });

  test('mirrors and other registries of the settings', () => {
    const { registries: settings } = someSettings({
      registries: {
        servers: [server],
        mirrors: {
          [server]: { endpoint: ['https://cache.example.com'] },
          'docker.io': { endpoint: ['https://myteam.azurecr.io'], rewrite: { '^(.*)$': 'hub/$1' } },
        },
        configs: {
          [server]: { tls: { ca_file: '/etc/ca.pem' }, auth: { username: 'theirs' } },
          'ghcr.io': {
            auth: { username: 'robot', password: 'hunter2' },
            tls: { insecure_skip_verify: false },
          },
        },
      },
    });
    const rendered = renderRegistries(settings, logins);
    expect(parseRegistries(rendered.reveal())).toEqual({
      mirrors: {
        [server]: { endpoint: ['https://cache.example.com'] },
        'docker.io': { endpoint: ['https://myteam.azurecr.io'], rewrite: { '^(.*)$': 'hub/$1' } },
      },
      configs: {
        [server]: { auth: { username: 'user', password: 'p"w: #1' }, tls: { ca_file: '/etc/ca.pem' } },
        'ghcr.io': { auth: { username: 'robot', password: 'hunter2' }, tls: { insecure_skip_verify: false } },
      },
    });
    expect(`${rendered}`).not.toContain('hunter2');
  });
});

test.each([
  ['not YAML', '{'],
  ['a key twice', 'mirrors: {}\nmirrors: {}\n'],
  ['a list', '- a\n'],
  ['a key K3s overlooks', 'mirror: {}\n'],
  ['an endpoint that is no list', 'mirrors: { a: { endpoint: "https://a" } }\n'],
  ['an endpoint that is no URL', 'mirrors: { a: { endpoint: ["not a url"] } }\n'],
])('parseRegistries refuses %s', (_name, text) => {
  expect(parseRegistries(text)).toBeUndefined();
});

test('parseRegistries takes names without a value, the form of the embedded registry', () => {
  expect(parseRegistries('mirrors:\n  docker.io:\n  "*":\n')).toEqual({
    mirrors: { 'docker.io': {}, '*': {} },
  });
});

test('withoutAuth leaves mirrors and TLS', () => {
  const configs = { a: { auth: { username: 'u' } }, b: { auth: { username: 'u' }, tls: { ca_file: 'f' } } };
  expect(withoutAuth({ mirrors: {}, configs })).toEqual({
    mirrors: {},
    configs: { b: { tls: { ca_file: 'f' } } },
  });
});

describe('the resource', () => {
  /** A tick at every even hour; time begins at one. */
  const rotateAt = (after: number) => (Math.floor(after / (2 * hour)) + 1) * 2 * hour;

  function world(settings: object = { servers: [server] }) {
    const host = memoryHost();
    const cloud = new FakeCloud({ registries: [server, 'two.azurecr.io'], clock: host });
    const [resource] = registries(
      aNode('server', { settings: { registries: settings } }),
      { cloud, rotateAt },
      [],
    );
    if (!resource) throw new Error('there is no resource');
    return { host, cloud, resource };
  }

  test('an operator keeps registries.yaml where the settings name no registry', () => {
    expect(registries(aNode('server'), { cloud: new FakeCloud(), rotateAt }, [])).toEqual([]);
  });

  test('is written 0600 and looked at again at the tick', async () => {
    const { host, cloud, resource } = world();
    cloud.tokenLifetime = 24 * hour;
    expect(await settle(resource, host)).toEqual(['Drifted file', 'InSync']);
    expect((await host.readFile(path))?.mode).toBe(0o600);
    expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 2 * hour });
  });

  test('is renewed with two thirds of the shortest life gone, where that comes before the tick', async () => {
    const { host, cloud, resource } = world();
    cloud.tokenLifetime = hour;
    await settle(resource, host);
    expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 40 * minute });
    host.advance(40 * minute);
    expect(await settle(resource, host)).toEqual([`Drifted tolerably password for ${server}`, 'InSync']);
    expect(cloud.calls).toHaveLength(2);
  });

  test('counts life from receipt, so that a wrong clock does no harm', async () => {
    const { host, resource } = world();
    const years = 10 * 365 * 24 * hour;
    const cloud = new FakeCloud({ registries: [server], clock: { now: () => host.now() - years } });
    const [skewed] = registries(
      aNode('server', { settings: { registries: { servers: [server] } } }),
      { cloud, rotateAt },
      [],
    );
    expect(skewed && (await settle(skewed, host))).toEqual(['Drifted file', 'InSync']);
    expect(await outcome(resource, host)).toBe('InSync');
  });

  test('is renewed when the clock went back behind its time', async () => {
    const { host, resource } = world();
    await settle(resource, host);
    const past = memoryHost({ now: host.now() - hour });
    past.readFile = (file) => host.readFile(file);
    expect(await outcome(resource, past)).toBe(`Drifted tolerably password for ${server}`);
  });

  test('a registry that is away is tolerable, whatever the age of what is there', async () => {
    const { host, cloud, resource } = world();
    await settle(resource, host);
    cloud.fail('registryPassword', new NodeError('RegistryUnavailable', 'away'));
    const before = await host.readFile(path);
    host.advance(30 * hour);
    expect(await settle(resource, host)).toEqual([
      `Drifted tolerably password for ${server}`,
      'RegistryUnavailable soon',
    ]);
    expect(await host.readFile(path)).toEqual(before);
    cloud.heal();
    expect((await settle(resource, host)).at(-1)).toBe('InSync');
  });

  test('one registry that refuses keeps the others from nothing, and is asked alone', async () => {
    const { host, cloud, resource } = world({ servers: [server, 'three.azurecr.io'] });
    expect(await settle(resource, host)).toEqual(['Drifted file', 'RegistryUnauthorized soon']);
    const [first] = host.journal;
    expect(first).toMatchObject({
      kind: 'write',
      content: expect.stringContaining(`"${server}":\n    "auth"`),
    });
    const { length } = cloud.calls;
    expect(await settle(resource, host)).toEqual([
      'Drifted tolerably password for three.azurecr.io',
      'RegistryUnauthorized soon',
    ]);
    expect(cloud.calls.slice(length)).toEqual(['registryPassword three.azurecr.io']);
    expect(host.journal).toHaveLength(1);
  });

  test('a password that was kept is due by when it was received, not by when the file was written', async () => {
    const { host, cloud, resource } = world({ servers: [server, 'three.azurecr.io'] });
    cloud.tokenLifetime = hour;
    await settle(resource, host);
    host.advance(30 * minute);
    cloud.registries.add('three.azurecr.io');
    cloud.tokenLifetime = 12 * hour;
    expect(await settle(resource, host)).toEqual([
      'Drifted tolerably password for three.azurecr.io',
      'InSync',
    ]);
    host.advance(11 * minute);
    expect(await outcome(resource, host)).toBe(`Drifted tolerably password for ${server}`);
  });

  const jwt = (claims: object) =>
    ['{}', JSON.stringify({ iat: 1_700_000_000, exp: 1_700_010_800, ...claims }), 'x']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');

  test.each([
    ['not YAML', () => '{', 'Drifted content'],
    [
      'a mirror by hand',
      (text: string) => text.replace('"configs"', '  "quay.io": {}\n"configs"'),
      'Drifted tolerably mirrors and TLS',
    ],
    [
      'a login by hand',
      (text: string) => `${text}  "ghcr.io": { auth: { username: me } }\n`,
      'Drifted tolerably credentials of other registries',
    ],
    [
      'another user',
      (text: string) => text.replace('"fake-user"', '"me"'),
      `Drifted tolerably password for ${server}`,
    ],
    [
      'no password',
      (text: string) => text.replace(/"password": .*/, ''),
      `Drifted tolerably password for ${server}`,
    ],
    [
      'the token of another registry',
      (text: string) => text.replace(/"password": .*/, `"password": "${jwt({ aud: 'x.azurecr.io' })}"`),
      `Drifted tolerably password for ${server}`,
    ],
    [
      'another token of this registry, that nobody received',
      (text: string) => text.replace(/"password": .*/, `"password": "${jwt({ aud: server })}"`),
      `Drifted tolerably password for ${server}`,
    ],
    ['a comment', (text: string) => `# hello\n${text}`, 'InSync'],
  ])('after an edit: %s', async (_name, edit, expected) => {
    const { host, resource } = world();
    await settle(resource, host);
    host.files.write(path, edit((await host.readFile(path))?.content ?? ''), 0o600);
    expect(await outcome(resource, host)).toBe(expected);
  });

  /** The same cloud and machine, with other settings. */
  function withMirror({ host, cloud }: ReturnType<typeof world>) {
    const settings = {
      registries: { servers: [server], mirrors: { 'docker.io': { endpoint: ['https://mirror.gcr.io'] } } },
    };
    const [resource] = registries(aNode('server', { settings }), { cloud, rotateAt }, []);
    if (!resource) throw new Error('there is no resource');
    return { host, cloud, resource };
  }

  test('a mirror that is added asks for no password, and makes none younger', async () => {
    const before = world();
    await settle(before.resource, before.host);
    before.host.advance(30 * minute);
    const { host, cloud, resource } = withMirror(before);
    expect(await settle(resource, host)).toEqual(['Drifted tolerably mirrors and TLS', 'InSync']);
    expect(cloud.calls).toHaveLength(1);
    expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 90 * minute });
  });

  test('a mirror that is added while the registry is away is written all the same', async () => {
    const before = world();
    await settle(before.resource, before.host);
    before.host.advance(2 * hour);
    before.cloud.fail('registryPassword', new NodeError('RegistryUnavailable', 'away'));
    const { host, resource } = withMirror(before);
    const [drifted, ...rest] = await settle(resource, host);
    expect(drifted).toBe(`Drifted tolerably mirrors and TLS, password for ${server}`);
    expect(rest).toEqual(['RegistryUnavailable soon']);
    expect(host.files.text(path)).toContain('mirror.gcr.io');
    expect(await settle(resource, host)).toEqual([
      `Drifted tolerably password for ${server}`,
      'RegistryUnavailable soon',
    ]);
  });

  test('a backup with an old password is renewed at once, though its file is new', async () => {
    const { host, resource } = world();
    await settle(resource, host);
    const backup = host.files.text(path) ?? '';
    host.advance(10 * hour);
    await settle(resource, host);
    host.files.write(path, backup, 0o600);
    expect(await outcome(resource, host)).toBe(`Drifted tolerably password for ${server}`);
  });

  test('a file that is touched is no younger', async () => {
    const { host, resource } = world();
    await settle(resource, host);
    host.advance(119 * minute);
    host.files.write(path, host.files.text(path) ?? '', 0o600);
    host.advance(minute);
    expect(await outcome(resource, host)).toBe(`Drifted tolerably password for ${server}`);
  });

  test('a password for seconds is renewed every five, one for years at the tick', async () => {
    const { host, cloud, resource } = world();
    cloud.tokenLifetime = 3_000;
    await settle(resource, host);
    expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 5_000 });
    host.advance(5_000);
    cloud.tokenLifetime = 10 * 365 * 24 * hour;
    await settle(resource, host);
    expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() - 5_000 + 2 * hour });
  });

  test('the schedule is told how long the password may wait', async () => {
    const { host, cloud } = world();
    const asked: number[] = [];
    const tell = (_: number, within: number) => {
      asked.push(within);
      return Number.POSITIVE_INFINITY;
    };
    const node = aNode('server', { settings: { registries: { servers: [server] } } });
    const [resource] = registries(node, { cloud, rotateAt: tell }, []);
    if (resource) await settle(resource, host);
    expect(new Set(asked)).toEqual(new Set([2 * hour]));
  });

  test('with mirrors alone it asks for no password', async () => {
    const { host, cloud, resource } = world({
      mirrors: { 'docker.io': { endpoint: ['https://mirror.gcr.io'] } },
    });
    expect(await settle(resource, host)).toEqual(['Drifted file', 'InSync']);
    expect(cloud.calls).toEqual([]);
    expect(await resource.check(host)).toEqual({ state: 'InSync' });
  });

  test('an empty password is none', async () => {
    const { host, cloud, resource } = world();
    cloud.registryPassword = async () => new Secret('');
    const finding = await resource.check(host);
    const remedy = finding.state === 'Drifted' ? finding.drift.remedy(host) : undefined;
    await expect(remedy?.catch(failure)).resolves.toBe('RegistryUnavailable soon');
  });

  test('a dry run converges and shows no password', async () => {
    const { host, cloud, resource } = world();
    const dry = recordingHost(host);
    const finding = await resource.check(dry);
    if (finding.state === 'Drifted') await finding.drift.remedy(dry);
    expect(await resource.check(dry)).toMatchObject({ state: 'InSync' });
    expect(cloud.calls).toEqual([]);
    expect(dry.journal.map(({ kind }) => kind)).toEqual(['obtain', 'write']);
    expect(dry.journal[1]).toMatchObject({ content: expect.stringContaining('"password": "‹redacted›"') });
  });
});
