import { describe, expect, test } from 'vitest';
import { recordingHost } from '../../../../../src/agent/host/recording/recording-host.ts';
import type { Logins } from '../../../../../src/agent/parts/registry/answer/logins.ts';
import { renderLogins } from '../../../../../src/agent/parts/registry/login-store.ts';
import { registriesFile } from '../../../../../src/agent/parts/registry/registries-file.ts';
import { parseRegistries } from '../../../../../src/agent/parts/registry/registries-yaml.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../a-node.ts';

const path = '/etc/rancher/k3s/registries.yaml';
const storePath = '/var/lib/slipway/logins.json';
const [server, other] = ['one.azurecr.io', 'two.azurecr.io'] as const;
const mirrors = { 'docker.io': { endpoint: ['https://mirror.gcr.io'] } };

function fileFor(settings: object) {
  const [resource] = registriesFile(aNode('server', { settings: { registries: settings } }), ['Needed']);
  if (!resource) {
    throw new Error('there is no resource');
  }
  return resource;
}

const resource = fileFor({ servers: [server, other] });

function store(host: MemoryHost, passwords: Readonly<Record<string, string>>): void {
  const logins: Logins = Object.fromEntries(
    Object.entries(passwords).map(([name, password]) => [
      name,
      { username: 'user', password, receivedAt: host.now() },
    ]),
  );
  host.files.write(storePath, renderLogins(logins).reveal(), 0o600);
}

function auth(host: MemoryHost, name: string) {
  return parseRegistries(host.files.text(path) ?? '')?.configs?.[name]?.auth;
}

async function world() {
  const host = memoryHost();
  store(host, { [server]: 'first', [other]: 'second' });
  await settle(resource, host);
  return host;
}

test("registriesFile returns no Resource if the settings name no registry, so that an operator's file stays", () => {
  expect(registriesFile(aNode('server'), [])).toEqual([]);
});

test('registries.yaml contains the logins of the store, and is readable by root only', async () => {
  const host = await world();
  expect(await outcome(resource, host)).toBe('InSync');
  expect(host.files.stat(path)?.mode).toBe(0o600);
  expect(auth(host, server)).toEqual({ username: 'user', password: 'first' });
  expect(auth(host, other)).toEqual({ username: 'user', password: 'second' });
  expect(host.files.text(path)).not.toMatch(/received/);
});

test('registries.yaml gets every login in the store, even a login that its registry refused', async () => {
  const host = await world();
  const login = { username: 'user', password: 'third', receivedAt: host.now(), refused: true } as const;
  host.files.write(storePath, renderLogins({ [server]: login }).reveal(), 0o600);
  expect(await settle(resource, host)).toEqual([`Drifted (non-blocking) login for ${server}`, 'InSync']);
  expect(auth(host, server)).toEqual({ username: 'user', password: 'third' });
});

test.each([
  ['registries.yaml counts as due if a login was received after the file was written', 1, true],
  [
    'registries.yaml counts as damaged, not as due, if it lacks a stored login that is older than the file',
    0,
    false,
  ],
])('%s', async (_, later, due) => {
  const host = await world();
  host.advance(later);
  store(host, { [server]: 'third', [other]: 'second' });
  expect(await resource.check(host)).toMatchObject({ state: 'Drifted', drift: { due } });
});

test('registries.yaml counts as damaged, not as due, after a new login and a change of the settings', async () => {
  const host = await world();
  host.advance(1);
  store(host, { [server]: 'third', [other]: 'second' });
  const mirrored = fileFor({ servers: [server, other], mirrors });
  expect(await mirrored.check(host)).toMatchObject({ drift: { due: false } });
});

describe('a login in registries.yaml', () => {
  test.each<[string, (host: MemoryHost) => void]>([
    ['stays if the store is lost', (host) => host.files.remove(storePath)],
    ['stays if the store is damaged', (host) => host.files.write(storePath, '{', 0o600)],
    ['stays if others may read the store', (host) => host.files.changeMode(storePath, 0o644)],
    ['stays if the store lacks only this login', (host) => store(host, { [other]: 'second' })],
  ])('%s', async (_, harm) => {
    const host = await world();
    harm(host);
    const mirrored = fileFor({ servers: [server, other], mirrors });
    expect(await outcome(resource, host)).toBe('InSync');
    expect(await settle(mirrored, host)).toEqual(['Drifted (non-blocking) mirrors and TLS', 'InSync']);
    expect(auth(host, server)).toEqual({ username: 'user', password: 'first' });
  });

  test('stays if the store is lost and others can only read the file, which becomes private again', async () => {
    const host = await world();
    host.files.remove(storePath);
    host.files.changeMode(path, 0o644);
    expect(await settle(resource, host)).toEqual(['Drifted mode', 'InSync']);
    expect(auth(host, server)).toEqual({ username: 'user', password: 'first' });
  });

  test.each<[string, (host: MemoryHost) => void, string]>([
    ['belongs to another user', (host) => host.files.give(path, '1000:1000'), 'owner'],
    ['is writable by its group', (host) => host.files.changeMode(path, 0o620), 'mode'],
    ['is writable by all users', (host) => host.files.changeMode(path, 0o602), 'mode'],
  ])('is removed if the store is lost and the file %s', async (_, harm, drift) => {
    const host = await world();
    host.files.remove(storePath);
    harm(host);
    expect(await settle(resource, host)).toEqual([`Drifted ${drift}`, 'InSync']);
    expect(auth(host, server)).toEqual({});
  });
});

describe('registries.yaml is restored without fetching a login', () => {
  test.each([
    ['if it is not YAML', () => '{', 'Drifted content'],
    [
      'after an edit that adds a mirror',
      (text: string) => text.replace('"configs"', '  "quay.io": {}\n"configs"'),
      'Drifted (non-blocking) mirrors and TLS',
    ],
    [
      'after an edit that adds a login',
      (text: string) => `${text}  "ghcr.io": { auth: { username: me } }\n`,
      'Drifted (non-blocking) login for ghcr.io',
    ],
    [
      'after an edit that changes a user',
      (text: string) => text.replace('"user"', '"me"'),
      `Drifted (non-blocking) login for ${server}`,
    ],
    [
      'after an edit that removes a password',
      (text: string) => text.replace(/"password": .*/, ''),
      `Drifted (non-blocking) login for ${server}`,
    ],
    [
      'after an edit that adds a comment',
      (text: string) => `# hello\n${text}`,
      'Drifted (non-blocking) text',
    ],
  ])('%s', async (_name, edit, expected) => {
    const host = await world();
    const before = host.files.text(path) ?? '';
    host.files.write(path, edit(before), 0o600);
    expect(await settle(resource, host)).toEqual([expected, 'InSync']);
    expect(host.files.text(path)).toBe(before);
  });
});

test('registries.yaml with only mirrors needs no store', async () => {
  const host = memoryHost();
  const mirrored = fileFor({ mirrors });
  expect(await settle(mirrored, host)).toEqual(['Drifted file', 'InSync']);
  expect(host.files.text(path)).toContain('mirror.gcr.io');
});

test('the plan and the journal show no password of registries.yaml, not even as a digest', async () => {
  const changes: unknown[] = [];
  for (const password of ['canary-1', 'canary-2']) {
    const host = await world();
    store(host, { [server]: password });
    const dry = recordingHost(host);
    const finding = await resource.check(dry);
    if (finding.state !== 'Drifted') {
      throw new Error('it is in sync');
    }
    await finding.drift.remedy(dry);
    changes.push(finding.drift.changes);
    expect(JSON.stringify(dry.journal)).toContain('‹redacted›');
    expect(JSON.stringify([finding, dry.journal])).not.toContain('canary');
  }
  expect(changes[0]).toEqual(changes[1]);
  expect(changes[0]).toEqual([
    { field: `login for ${server}`, observed: 'other', desired: 'as settings and store have it' },
  ]);
});
