import { describe, expect, test } from 'vitest';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import {
  readLogins,
  renderLogins,
  storedLogin,
} from '../../../../../src/agent/parts/registry/login-store.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';

const paths = nodePaths('/');
const path = paths.slipway.logins;
const receivedAt = Date.UTC(2026, 0, 1);
const password = new Secret('canary');
const logins = {
  'one.azurecr.io': storedLogin('user', { password, until: receivedAt + 1_000 }, receivedAt),
  'two.azurecr.io': storedLogin('user', { password }, receivedAt),
};

function world(): MemoryHost {
  const host = memoryHost();
  host.files.write(path, renderLogins(logins).reveal(), 0o600);
  return host;
}

test('readLogins returns the logins of a store as they were written, and the store contains a format number', async () => {
  const host = world();
  expect(await readLogins(host, paths)).toStrictEqual(logins);
  expect(JSON.parse(host.files.text(path) ?? '')).toEqual({ format: 1, logins });
});

test('storedLogin returns a login without an expiry for a password that does not expire', () => {
  expect(storedLogin('user', { password }, receivedAt)).toStrictEqual({
    username: 'user',
    password: 'canary',
    receivedAt,
  });
});

test('renderLogins returns text that hides the passwords when printed', () => {
  expect(`${renderLogins(logins)}`).toContain('"password": "‹redacted›"');
  expect(`${renderLogins(logins)}`).not.toContain('canary');
});

describe('readLogins returns no login and throws no error if the store', () => {
  test.each<[string, (host: MemoryHost) => void]>([
    ['is lost', (host) => host.files.remove(path)],
    ['is damaged', (host) => host.files.write(path, '{', 0o600)],
    ['may be read by others', (host) => host.files.changeMode(path, 0o640)],
    ['belongs to another user', (host) => host.files.give(path, '1000:1000')],
    [
      'is a folder',
      (host) => {
        host.files.remove(path);
        host.files.makeDirectory(path);
      },
    ],
  ])('%s', async (_, harm) => {
    const host = world();
    harm(host);
    expect(await readLogins(host, paths)).toEqual({});
  });
});

describe('after a rollback to a release without a store, readLogins', () => {
  const server = 'three.azurecr.io';
  const login = (password: string, at: number) => ({ username: 'user', password, receivedAt: at });

  test.each([
    ['returns a login that this release received later', 1, 'theirs'],
    ['returns the stored login if this release received no later login', 0, 'ours'],
  ])('%s', async (_, later, expected) => {
    const host = memoryHost();
    const cached = { [server]: login('theirs', host.now() + later) };
    host.files.write(paths.slipway.formerLogins, JSON.stringify(cached), 0o600);
    host.files.write(path, renderLogins({ [server]: login('ours', host.now()) }).reveal(), 0o600);
    expect((await readLogins(host, paths))[server]?.password).toBe(expected);
  });
});
