import { describe, expect, test } from 'vitest';
import {
  newestLogins,
  parseLogins,
  type StoredLogin,
  usableLogin,
  usableUntil,
} from '../../../../../../src/agent/parts/registry/answer/logins.ts';

const minute = 60_000;
const hour = 60 * minute;
const receivedAt = Date.UTC(2026, 10, 20, 12);
const server = 'team.azurecr.io';
const names = { username: 'someone', password: 'canary' };
const login: StoredLogin = { ...names, receivedAt, until: receivedAt + 3 * hour };
const text = (logins: object) => JSON.stringify({ format: 1, logins });

test('usableUntil excludes the last five minutes of a password that is valid for three hours', () => {
  expect(usableUntil(login)).toBe(receivedAt + 3 * hour - 5 * minute);
});

test('a login whose password does not expire is always usable', () => {
  const endless = { ...names, receivedAt };
  expect(usableUntil(endless)).toBe(Number.POSITIVE_INFINITY);
  expect(usableLogin({ [server]: endless }, server, receivedAt + 10_000 * hour)).toBe(endless);
});

test('a login that its registry refused is not usable', () => {
  expect(usableLogin({ [server]: { ...login, refused: true } }, server, receivedAt)).toBeUndefined();
});

describe('a login', () => {
  test.each([
    ['is usable when it is received', 0, true],
    ['is usable until one second before its last five minutes', 175 * minute - 1_000, true],
    [
      'is not usable in the last second before its last five minutes, because kubelet gets whole seconds',
      175 * minute - 999,
      false,
    ],
    ['is not usable in its last five minutes', 175 * minute, false],
    ['is not usable after the node was off for a day', 24 * hour, false],
    ['is usable after the clock was set forward by an hour', hour, true],
    ['is usable after the clock was set back by a minute', -minute, true],
    [
      'is not usable after the clock was set back by more than a minute, because its age is unknown',
      -minute - 1,
      false,
    ],
    ['is not usable after the clock was set back by an hour', -hour, false],
  ])('%s', (_, after, usable) => {
    const found = usableLogin({ [server]: login }, server, receivedAt + after);
    expect(found).toBe(usable ? login : undefined);
  });

  test.each(['other.azurecr.io', '__proto__', 'constructor', 'toString'])(
    'is not usable for the server %s',
    (name) => {
      expect(usableLogin({ [server]: login }, name, receivedAt)).toBe(undefined);
    },
  );

  test('is usable for a server whose name is __proto__', () => {
    const logins = parseLogins(`{ "logins": { "__proto__": ${JSON.stringify(login)} } }`);
    expect(usableLogin(logins, '__proto__', receivedAt)).toEqual(login);
    expect(usableLogin(logins, 'username', receivedAt)).toBe(undefined);
  });
});

describe('the text of a login store', () => {
  const written = text({ [server]: login });

  test('is read back unchanged', () => {
    expect(parseLogins(written)).toEqual({ [server]: login });
    expect(parseLogins(text({ [server]: { ...login, refused: true } }))).toEqual({
      [server]: { ...login, refused: true },
    });
  });

  test('is read without unknown fields if a later release wrote it', () => {
    const later = { format: 2, by: 'later', logins: { [server]: { ...login, scope: ['pull'], refused: 1 } } };
    expect(parseLogins(JSON.stringify(later))).toStrictEqual({ [server]: login });
  });

  test.each([
    ['is empty', ''],
    ['is cut off', written.slice(0, -5)],
    ['is null', 'null'],
    ['is a list', '[1]'],
    ['is a string', '"canary"'],
    ['has no logins', '{ "format": 1 }'],
    ['has logins that are null', '{ "format": 1, "logins": null }'],
    ['has a list of logins', JSON.stringify({ format: 1, logins: ['canary'] })],
  ])('is read as a store without logins if it %s', (_, text) => {
    expect(parseLogins(text)).toEqual({});
  });

  test.each([
    ['null', null],
    ['a string', 'canary'],
    ['an object without a password', { ...login, password: undefined }],
    ['an object with an empty password', { ...login, password: '' }],
    ['an object with an empty user name', { ...login, username: '' }],
    ['an object with a user name that is not a string', { ...login, username: 1 }],
    ['an object without a time of receipt', { ...login, receivedAt: undefined }],
    ['an object with a time that is not a number', { ...login, receivedAt: '1' }],
    ['an object with an expiry that is not a number', { ...login, until: '1' }],
    ['an object with a time later than a Date can represent', { ...login, receivedAt: 8.64e15 + 1 }],
    ['an object with a time earlier than a Date can represent', { ...login, receivedAt: -1e17 }],
    ['an object with an expiry later than a Date can represent', { ...login, until: 1e300 }],
    ['an object with an expiry that is null', { ...login, until: null }],
  ])('is read without a login that is %s', (_, damaged) => {
    expect(parseLogins(text({ 'damaged.azurecr.io': damaged, [server]: login }))).toEqual({
      [server]: login,
    });
  });

  test('is read with the latest time that a Date can represent', () => {
    const latest = { ...login, receivedAt: 8.64e15 };
    expect(parseLogins(text({ [server]: latest }))).toEqual({ [server]: latest });
  });
});

describe('newestLogins', () => {
  const at = (receivedAt: number): StoredLogin => ({ ...names, receivedAt });
  test.each([
    [
      'keeps the logins of both servers',
      { 'a.io': at(1) },
      { 'b.io': at(2) },
      { 'a.io': at(1), 'b.io': at(2) },
    ],
    ['keeps the later login of a server', { 'a.io': at(1) }, { 'a.io': at(2) }, { 'a.io': at(2) }],
    [
      'keeps a stored login that is later than the fresh one',
      { 'a.io': at(3) },
      { 'a.io': at(2) },
      { 'a.io': at(3) },
    ],
    [
      'prefers the fresh login to a stored login of the same age',
      { 'a.io': at(2) },
      { 'a.io': { ...at(2), username: 'new' } },
      undefined,
    ],
    [
      'replaces a login with a time of receipt in the future',
      { 'a.io': at(hour) },
      { 'a.io': at(2) },
      { 'a.io': at(2) },
    ],
    [
      'keeps a login with a time of receipt in the future if its server has no other',
      { 'b.io': at(hour) },
      { 'a.io': at(2) },
      { 'a.io': at(2), 'b.io': at(hour) },
    ],
  ])('%s', (_, found, fresh, expected) => {
    expect(newestLogins(found, fresh, 3)).toEqual(expected ?? fresh);
  });

  test('handles the server name __proto__ like any other name', () => {
    const odd = parseLogins(`{ "logins": { "__proto__": ${JSON.stringify(at(1))} } }`);
    expect(Object.entries(newestLogins(odd, {}, 3))).toEqual([['__proto__', at(1)]]);
    expect(Object.entries(newestLogins({}, odd, 3))).toEqual([['__proto__', at(1)]]);
  });
});
