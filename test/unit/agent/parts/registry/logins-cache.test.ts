import { describe, expect, test } from 'vitest';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { recordingHost } from '../../../../../src/agent/host/recording/recording-host.ts';
import {
  type CachedLogin,
  type CachedLogins,
  cachedLogin,
  parseCachedLogins,
} from '../../../../../src/agent/parts/registry/answer/cached-logins.ts';
import { receiptNotes } from '../../../../../src/agent/parts/registry/held-login.ts';
import { loginsCache } from '../../../../../src/agent/parts/registry/logins-cache.ts';
import { credentialDigest, writeProof } from '../../../../../src/agent/parts/registry/proof/pull-record.ts';
import { renderRegistries } from '../../../../../src/agent/parts/registry/registries-yaml.ts';
import { datedToken, FakeCloud } from '../../../../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../a-node.ts';

const minute = 60_000;
const hour = 60 * minute;
const path = '/run/slipway/registry-logins.json';
const file = '/etc/rancher/k3s/registries.yaml';
const [one, two] = ['one.azurecr.io', 'two.azurecr.io'] as const;
const node = aNode('agent', { settings: { registries: { servers: [one, two] } } });
const [resource] = loginsCache(node, new FakeCloud());
if (!resource) throw new Error('there is no cache');
const user = 'fake-user';

/** registries.yaml as a rotation writes it, with passwords received at that time. */
function rotate(
  host: MemoryHost,
  passwords: Readonly<Record<string, string>>,
  receivedAt = host.now(),
): void {
  const logins = Object.entries(passwords).map(
    ([server, password]) => [server, { username: user, password: new Secret(password) }] as const,
  );
  const notes = receiptNotes(new Map(logins.map(([server, login]) => [server, { login, receivedAt }])));
  const rendered = renderRegistries(node.settings.registries, new Map(logins));
  host.files.write(file, rendered.reveal() + notes, 0o600);
}

function cache(host: MemoryHost, logins: CachedLogins): void {
  host.files.write(path, JSON.stringify(logins), 0o600);
}

function cached(host: MemoryHost): CachedLogins {
  return parseCachedLogins(host.files.text(path));
}

/** A password issued so many milliseconds from now, by the registry's clock. */
function token(host: MemoryHost, from = 0): string {
  return datedToken(host.now() + from, 3 * hour, `${from}`);
}

function login(password: string, receivedAt: number, username = user): CachedLogin {
  return cachedLogin({ username, password }, receivedAt, 3 * hour);
}

test('without login servers there is no cache', () => {
  expect(loginsCache(aNode('agent'), new FakeCloud())).toEqual([]);
});

test('it has the logins of registries.yaml, counted from their receipt, for root alone', async () => {
  const host = memoryHost();
  const [first, second] = [token(host), token(host, 1)];
  rotate(host, { [one]: first, [two]: second });
  const now = host.now();
  host.advance(minute);
  expect(await settle(resource, host)).toEqual([
    `Drifted tolerably login for ${one}, login for ${two}`,
    'InSync',
  ]);
  expect(host.files.stat(path)?.mode).toBe(0o600);
  expect(cached(host)).toEqual({ [one]: login(first, now), [two]: login(second, now) });
  expect(cached(host)[one]?.usableUntil).toBe(now + 3 * hour - 5 * minute);
});

test.each([
  ['of registries.yaml', false],
  ['of the cache', true],
])('withholds a refused login %s from kubelet until there is another', async (_what, isCached) => {
  const host = memoryHost();
  const [refused, other] = [token(host), token(host, 1)];
  rotate(host, { [one]: refused, [two]: other });
  if (isCached) await settle(resource, host);
  const credential = credentialDigest(user, refused);
  const proof = { credential, images: [], result: 'refused', refused: true };
  await writeProof(host, node.paths.slipway.pullProof, one, proof);
  await settle(resource, host);
  expect(Object.keys(cached(host))).toEqual([two]);
  const fetched = token(host, 2);
  cache(host, { ...cached(host), [one]: login(fetched, host.now()) });
  expect(await settle(resource, host)).toEqual(['InSync']);
  expect(cached(host)[one]?.password).toBe(fetched);
});

test('a rotation is taken over, and a login that stays is left', async () => {
  const host = memoryHost();
  const [first, second] = [token(host), token(host)];
  rotate(host, { [one]: first, [two]: second });
  await settle(resource, host);
  host.advance(hour);
  const third = token(host);
  rotate(host, { [one]: third });
  expect(await settle(resource, host)).toEqual([`Drifted tolerably login for ${one}`, 'InSync']);
  expect(cached(host)).toEqual({
    [one]: login(third, host.now()),
    [two]: login(second, host.now() - hour),
  });
});

describe('which login of a server stays', () => {
  /** The passwords and when they were received, in milliseconds from now. */
  interface Case {
    readonly registries?: readonly [string, number];
    readonly cached: readonly [string, number];
    readonly username?: string;
    readonly stays: 'cached' | 'registries' | 'none';
  }
  test.each<[string, Case]>([
    [
      'one that the provider fetched later',
      { registries: ['old', -hour], cached: ['new', -minute], stays: 'cached' },
    ],
    [
      'one that the provider fetched earlier',
      { registries: ['new', 0], cached: ['old', -hour], stays: 'registries' },
    ],
    ['the same', { registries: ['same', -hour], cached: ['same', -hour], stays: 'cached' }],
    [
      'one received before the clock went back, when it was renewed since',
      { registries: ['new', 0], cached: ['old', hour], stays: 'registries' },
    ],
    [
      'one that the provider fetched since the clock went back, when it was not renewed yet',
      { registries: ['old', hour], cached: ['new', -minute], stays: 'cached' },
    ],
    [
      'none, when both were received before the clock went back',
      { registries: ['old', hour], cached: ['old', hour], stays: 'none' },
    ],
    ['none in registries.yaml, as after an edit by hand', { cached: ['kept', -hour], stays: 'cached' }],
    ['one of another user', { cached: ['theirs', 0], username: 'somebody', stays: 'none' }],
  ])('%s', async (_, { registries, cached: [password, received], username, stays }) => {
    const host = memoryHost();
    const kept = login(password, host.now() + received, username);
    cache(host, { [one]: kept });
    rotate(host, registries ? { [one]: registries[0] } : {}, host.now() + (registries?.[1] ?? 0));
    expect((await settle(resource, host)).at(-1)).toBe('InSync');
    const expected = {
      cached: { password, receivedAt: kept.receivedAt },
      registries: { password: registries?.[0], receivedAt: host.now() + (registries?.[1] ?? 0) },
      none: undefined,
    };
    const { [one]: after } = cached(host);
    expect(after && { password: after.password, receivedAt: after.receivedAt }).toEqual(expected[stays]);
  });

  test('a hand that touches registries.yaml makes no old login new', async () => {
    const host = memoryHost();
    rotate(host, { [one]: token(host) });
    await settle(resource, host);
    const before = cached(host);
    host.advance(hour);
    host.files.write(file, `${host.files.text(file)}# touched\n`, 0o600);
    expect(await outcome(resource, host)).toBe('InSync');
    host.files.remove(path);
    await settle(resource, host);
    expect(cached(host)).toEqual(before);
  });
});

test.each<[string, (host: MemoryHost) => void, string]>([
  ['damaged', (host) => host.files.write(path, '{', 0o600), `Drifted tolerably login for ${one}`],
  [
    'open to everybody',
    (host) => host.files.write(path, host.files.text(path) ?? '', 0o644),
    'Drifted tolerably mode',
  ],
  ['of another user', (host) => host.files.give(path, '1000:1000'), 'Drifted tolerably owner'],
  ['gone', (host) => host.files.remove(path), `Drifted tolerably login for ${one}`],
  [
    'with a server that is not ours any more',
    (host) => cache(host, { ...cached(host), 'old.azurecr.io': login('x', host.now()) }),
    'Drifted tolerably login for old.azurecr.io',
  ],
  [
    'of a time that no clock shows',
    (host) => cache(host, { [one]: login('x', 1e300) }),
    `Drifted tolerably login for ${one}`,
  ],
])('a cache that is %s is made anew', async (_, damage, drifted) => {
  const host = memoryHost();
  rotate(host, { [one]: token(host) });
  await settle(resource, host);
  const before = cached(host);
  damage(host);
  expect(await settle(resource, host)).toEqual([drifted, 'InSync']);
  expect(cached(host)).toEqual(before);
  expect(host.files.stat(path)?.mode).toBe(0o600);
});

test('what the provider writes meanwhile is not lost', async () => {
  const host = memoryHost();
  rotate(host, { [one]: token(host) });
  const finding = await resource.check(host);
  const fetched = login(token(host), host.now());
  cache(host, { [two]: fetched });
  if (finding.state === 'Drifted') await finding.drift.remedy(host);
  expect(cached(host)[two]).toEqual(fetched);
});

test.each([
  ['missing', undefined],
  ['malformed', '{'],
])('with a registries.yaml that is %s there is nothing to write', async (_, text) => {
  const host = memoryHost();
  if (text !== undefined) host.files.write(file, text, 0o600);
  expect(await outcome(resource, host)).toBe('InSync');
});

test('no password is shown, in a plan or in a journal', async () => {
  const host = memoryHost();
  const password = token(host);
  rotate(host, { [one]: password });
  for (const door of [recordingHost(host), host]) {
    const finding = await resource.check(door);
    if (finding.state === 'Drifted') await finding.drift.remedy(door);
    const shown = JSON.stringify([finding, door.journal]);
    expect(shown).toContain('‹redacted›');
    expect(shown).not.toContain(password);
  }
});

test('a change shows what is written and what goes', async () => {
  const host = memoryHost();
  rotate(host, { [one]: token(host) });
  cache(host, { [one]: login('x', host.now() - hour), [two]: login('y', host.now() + hour) });
  expect(await resource.check(host)).toMatchObject({
    drift: {
      changes: [
        { field: `login for ${one}`, observed: 'another', desired: 'the newest' },
        { field: `login for ${two}`, observed: 'another', desired: undefined },
      ],
    },
  });
  host.files.remove(path);
  expect(await resource.check(host)).toMatchObject({
    drift: { changes: [{ field: `login for ${one}`, observed: undefined, desired: 'the newest' }] },
  });
});
