import { describe, expect, test } from 'vitest';
import { received } from '../../../../../src/agent/clouds/jwt.ts';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { recordingHost } from '../../../../../src/agent/host/recording/recording-host.ts';
import {
  type Logins,
  parseLogins,
  type StoredLogin,
} from '../../../../../src/agent/parts/registry/answer/logins.ts';
import { loginsJudged } from '../../../../../src/agent/parts/registry/judged-logins.ts';
import { credentialDigest, writeProof } from '../../../../../src/agent/parts/registry/proof/pull-record.ts';
import { loginsRenewed } from '../../../../../src/agent/parts/registry/renewal.ts';
import { FakeCloud } from '../../../../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, failure, outcome, settle } from '../../a-node.ts';

const path = '/var/lib/slipway/logins.json';
const minute = 60_000;
const hour = 60 * minute;
const server = 'myteam.azurecr.io';
const other = 'two.azurecr.io';

/** Returns the next tick of the schedule, which ticks every two hours. The clock of the host starts at a tick. */
const rotateAt = (after: number) => (Math.floor(after / (2 * hour)) + 1) * 2 * hour;

const node = (servers: readonly string[] = [server]) =>
  aNode('server', { settings: { registries: { servers } } });

function world(servers?: readonly string[]) {
  const host = memoryHost();
  const cloud = new FakeCloud({ registries: [server, other], clock: host });
  const [resource] = loginsRenewed(node(servers), { cloud, rotateAt });
  const [marks] = loginsJudged(node(servers));
  if (!resource || !marks) {
    throw new Error('there is no resource');
  }
  return { host, cloud, resource, marks };
}

function stored(host: MemoryHost): Logins {
  return parseLogins(host.files.text(path) ?? '');
}

function store(host: MemoryHost, logins: Logins): void {
  host.files.write(path, JSON.stringify({ format: 1, logins }), 0o600);
}

function login(password: string, receivedAt: number, username = 'fake-user'): StoredLogin {
  return { username, password, receivedAt, until: receivedAt + 3 * hour };
}

async function refuse(host: MemoryHost, { username, password }: StoredLogin): Promise<void> {
  const credential = credentialDigest(username, password);
  const proof = { credential, images: [], result: 'refused', refused: true };
  await writeProof(host, '/run/slipway/pull-proof.json', server, proof);
}

test('loginsRenewed returns no Resource without login servers', () => {
  expect(loginsRenewed(node([]), { cloud: new FakeCloud(), rotateAt })).toEqual([]);
});

test("the login store is written with mode 0600, and is next due at the schedule's next tick", async () => {
  const { host, cloud, resource } = world();
  cloud.tokenLifetime = 24 * hour;
  expect(await settle(resource, host)).toEqual(['Drifted file', 'InSync']);
  expect((await host.readFile(path))?.mode).toBe(0o600);
  expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 2 * hour });
});

test("a password is renewed after two thirds of its lifetime if the schedule's next tick comes later", async () => {
  const { host, cloud, resource } = world();
  cloud.tokenLifetime = hour;
  await settle(resource, host);
  expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 40 * minute });
  host.advance(40 * minute);
  expect(await settle(resource, host)).toEqual([`Drifted (non-blocking) password for ${server}`, 'InSync']);
  expect(cloud.calls).toHaveLength(2);
});

test('the lifetime of a password counts from its receipt, even if the clock of the cloud differs', async () => {
  const { host, cloud, resource } = world();
  cloud.clockSkew = -10 * 365 * 24 * hour;
  expect(await settle(resource, host)).toEqual(['Drifted file', 'InSync']);
  expect(stored(host)[server]).toMatchObject({ receivedAt: host.now(), until: host.now() + 3 * hour });
});

test('a password is renewed if the clock was set back to before its receipt', async () => {
  const { host, resource } = world();
  await settle(resource, host);
  const past = memoryHost({ now: host.now() - hour });
  past.readFile = (file) => host.readFile(file);
  expect(await outcome(resource, past)).toBe(`Drifted (non-blocking) password for ${server}`);
});

test('a registry that is down does not block dependants, no matter how old the stored login is', async () => {
  const { host, cloud, resource } = world();
  await settle(resource, host);
  cloud.fail('registryPassword', new NodeError('RegistryUnavailable', 'away'));
  const before = await host.readFile(path);
  host.advance(30 * hour);
  expect(await settle(resource, host)).toEqual([
    `Drifted (non-blocking) password for ${server}`,
    'RegistryUnavailable (time)',
  ]);
  expect(await host.readFile(path)).toEqual(before);
  cloud.heal();
  expect((await settle(resource, host)).at(-1)).toBe('InSync');
});

test('a refusal by one registry does not delay the other registries, and only the refusing registry gets another request', async () => {
  const { host, cloud, resource } = world([server, 'three.azurecr.io']);
  expect(await settle(resource, host)).toEqual(['Drifted file', 'RegistryUnauthorized (time)']);
  const [first] = host.journal;
  expect(first).toMatchObject({
    kind: 'write',
    content: expect.stringContaining(`"${server}": {`),
  });
  const { length } = cloud.calls;
  expect(await settle(resource, host)).toEqual([
    'Drifted (non-blocking) password for three.azurecr.io',
    'RegistryUnauthorized (time)',
  ]);
  expect(cloud.calls.slice(length)).toEqual(['registryPassword three.azurecr.io']);
  expect(host.journal).toHaveLength(1);
});

test('the due time of a kept password depends on its receipt, not on the modification time of the file', async () => {
  const { host, cloud, resource } = world([server, 'three.azurecr.io']);
  cloud.tokenLifetime = hour;
  await settle(resource, host);
  host.advance(30 * minute);
  cloud.registries.add('three.azurecr.io');
  cloud.tokenLifetime = 12 * hour;
  expect(await settle(resource, host)).toEqual([
    'Drifted (non-blocking) password for three.azurecr.io',
    'InSync',
  ]);
  host.advance(11 * minute);
  expect(await outcome(resource, host)).toBe(`Drifted (non-blocking) password for ${server}`);
});

test("a password that is valid for seconds is renewed after five seconds, and one that is valid for years at the schedule's next tick", async () => {
  const { host, cloud, resource } = world();
  cloud.tokenLifetime = 3_000;
  await settle(resource, host);
  expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 5_000 });
  host.advance(5_000);
  cloud.tokenLifetime = 10 * 365 * 24 * hour;
  await settle(resource, host);
  expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() - 5_000 + 2 * hour });
});

test('the renewal asks the schedule for a tick within two thirds of the lifetime of the password', async () => {
  const { host, cloud } = world();
  const asked: number[] = [];
  const tell = (_: number, within: number) => {
    asked.push(within);
    return Number.POSITIVE_INFINITY;
  };
  const [resource] = loginsRenewed(node(), { cloud, rotateAt: tell });
  if (resource) {
    await settle(resource, host);
  }
  expect(new Set(asked)).toEqual(new Set([2 * hour]));
});

test('the login store contains the received login and its expiry', async () => {
  const { host, resource } = world();
  await settle(resource, host);
  expect(JSON.parse(host.files.text(path) ?? '')).toEqual({
    format: 1,
    logins: {
      [server]: {
        username: 'fake-user',
        password: expect.stringMatching(/^eyJ/),
        receivedAt: host.now(),
        until: host.now() + 3 * hour,
      },
    },
  });
});

test("a password that does not expire is stored without an expiry, and renewed at the schedule's next tick", async () => {
  const { host, cloud, resource } = world();
  cloud.registryPassword = async () => received(new Secret('hunter2'), host.now());
  await settle(resource, host);
  expect(stored(host)[server]).toStrictEqual({
    username: 'fake-user',
    password: 'hunter2',
    receivedAt: host.now(),
  });
  expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 2 * hour });
});

describe('the logins are fetched again if the store', () => {
  test.each<[string, (host: MemoryHost) => void, string]>([
    ['is lost', (host) => host.files.remove(path), 'Drifted file'],
    [
      'is cut off',
      (host) => host.files.write(path, (host.files.text(path) ?? '').slice(0, -5), 0o600),
      'non-blocking',
    ],
    ['is empty', (host) => host.files.write(path, '', 0o600), 'non-blocking'],
    ['is not JSON', (host) => host.files.write(path, 'logins', 0o600), 'non-blocking'],
    ['may be read by others', (host) => host.files.changeMode(path, 0o644), 'Drifted mode'],
    ['belongs to another user', (host) => host.files.give(path, '1000:1000'), 'Drifted owner'],
    [
      'has a login of another user',
      (host) => store(host, { [server]: login('x', host.now(), 'me') }),
      'non-blocking',
    ],
  ])('%s', async (_, harm, drifted) => {
    const { host, cloud, resource } = world();
    await settle(resource, host);
    harm(host);
    const told = drifted === 'non-blocking' ? `Drifted (non-blocking) password for ${server}` : drifted;
    expect(await settle(resource, host)).toEqual([told, 'InSync']);
    expect(cloud.calls).toHaveLength(2);
    expect(host.files.stat(path)?.mode).toBe(0o600);
  });

  test('is lost while a registry is down, and dependants wait only for the first login', async () => {
    const { host, cloud, resource } = world([server, other]);
    cloud.registries.delete(server);
    cloud.registries.delete(other);
    expect(await settle(resource, host)).toEqual(['Drifted file', 'RegistryUnauthorized (time)']);
    expect(host.files.stat(path)).toBeUndefined();
    cloud.registries.add(other);
    await settle(resource, host);
    expect(Object.keys(stored(host))).toEqual([other]);
    expect(await outcome(resource, host)).toBe(`Drifted (non-blocking) password for ${server}`);
  });
});

test('the store of a later release is read without its unknown fields, and no login is fetched', async () => {
  const { host, cloud, resource } = world();
  const later = { format: 2, new: 1, logins: { [server]: { ...login('x', host.now()), new: [2] } } };
  host.files.write(path, JSON.stringify(later), 0o600);
  expect(await settle(resource, host)).toEqual(['InSync']);
  expect(cloud.calls).toEqual([]);
});

test('a server that the settings no longer name is removed from the login store', async () => {
  const { host, cloud, marks } = world();
  store(host, { [server]: login('x', host.now()), 'old.azurecr.io': login('y', host.now()) });
  expect(await settle(marks, host)).toEqual(['Drifted (non-blocking) login for old.azurecr.io', 'InSync']);
  expect(Object.keys(stored(host))).toEqual([server]);
  expect(cloud.calls).toEqual([]);
});

describe("a login that kubelet's plugin writes during a fetch", () => {
  test.each([
    ['stays if it belongs to another server', other, 'theirs'],
    ['is replaced by a later login of the same server', server, undefined],
  ])('%s', async (_, of, expected) => {
    const { host, cloud, resource } = world([server, other]);
    store(host, { [other]: login('old', host.now()) });
    const own = cloud.registryPassword.bind(cloud);
    cloud.registryPassword = async (asked) => {
      store(host, { ...stored(host), [of]: login('theirs', host.now()) });
      host.advance(1);
      return own(asked);
    };
    expect((await settle(resource, host)).at(-1)).toBe('InSync');
    const kept = stored(host)[of]?.password;
    if (expected) {
      expect(kept).toBe(expected);
    } else {
      expect(kept).toMatch(/^eyJ/);
    }
  });
});

describe('a login that its registry refused', () => {
  test('is marked as refused in the store, until it is no longer refused', async () => {
    const { host, resource, marks } = world();
    await settle(resource, host);
    const [before] = Object.values(stored(host));
    if (!before) {
      throw new Error('there is no login');
    }
    await refuse(host, before);
    expect(await settle(marks, host)).toEqual([`Drifted (non-blocking) login for ${server}`, 'InSync']);
    expect(await settle(resource, host)).toEqual(['InSync']);
    expect(stored(host)).toEqual({ [server]: { ...before, refused: true } });
    host.files.remove('/run/slipway/pull-proof.json');
    await settle(marks, host);
    expect(stored(host)).toEqual({ [server]: before });
  });

  test('is due ten minutes after its receipt', async () => {
    const { host, cloud, resource } = world();
    store(host, { [server]: login('x', host.now()) });
    await refuse(host, login('x', host.now()));
    await settle(resource, host);
    expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 10 * minute });
    host.advance(10 * minute);
    await settle(resource, host);
    expect(cloud.calls).toHaveLength(1);
    expect(stored(host)[server]).not.toHaveProperty('refused');
  });

  test('is due within a minute if it does not expire, and stays refused while the cloud returns the same password', async () => {
    const { host, cloud, resource } = world();
    let password = 'wrong';
    cloud.registryPassword = async () => ({ password: new Secret(password) });
    await settle(resource, host);
    await refuse(host, { username: 'fake-user', password, receivedAt: 0 });
    host.advance(minute);
    const seen = await settle(resource, host);
    expect(seen.at(-1)).toBe('PullCredentialRefused (person)');
    password = 'right';
    expect((await settle(resource, host)).at(-1)).toBe('InSync');
    expect(stored(host)[server]).toMatchObject({ password, receivedAt: host.now() });
  });
});

test('a login that a former release received later is stored, and no login is fetched', async () => {
  const { host, cloud, marks } = world();
  store(host, { [server]: login('ours', host.now() - minute) });
  const theirs = { username: 'fake-user', password: 'theirs', receivedAt: host.now() };
  host.files.write('/run/slipway/registry-logins.json', JSON.stringify({ [server]: theirs }), 0o600);
  expect(await settle(marks, host)).toEqual([`Drifted (non-blocking) login for ${server}`, 'InSync']);
  expect(stored(host)).toEqual({ [server]: theirs });
  expect(cloud.calls).toEqual([]);
});

test('the renewal fails if the cloud returns an empty password', async () => {
  const { host, cloud, resource } = world();
  cloud.registryPassword = async () => ({ password: new Secret('') });
  const finding = await resource.check(host);
  const remedy = finding.state === 'Drifted' ? finding.drift.remedy(host) : undefined;
  await expect(remedy?.catch(failure)).resolves.toBe('RegistryUnavailable (time)');
});

test('a dry run of the renewal converges and shows no password', async () => {
  const { host, cloud, resource } = world();
  const dry = recordingHost(host);
  const finding = await resource.check(dry);
  if (finding.state === 'Drifted') {
    await finding.drift.remedy(dry);
  }
  expect(await resource.check(dry)).toMatchObject({ state: 'InSync' });
  expect(cloud.calls).toEqual([]);
  expect(dry.journal.map(({ kind }) => kind)).toEqual(['obtain', 'write']);
  expect(dry.journal[1]).toMatchObject({ content: expect.stringContaining('"password": "‹redacted›"') });
});
