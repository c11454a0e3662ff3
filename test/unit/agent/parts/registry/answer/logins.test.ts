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

test('of three hours the last five minutes are not used', () => {
  expect(usableUntil(login)).toBe(receivedAt + 3 * hour - 5 * minute);
});

test('a password that does not end is usable for ever', () => {
  const endless = { ...names, receivedAt };
  expect(usableUntil(endless)).toBe(Number.POSITIVE_INFINITY);
  expect(usableLogin({ [server]: endless }, server, receivedAt + 10_000 * hour)).toBe(endless);
});

test('a login that its registry refused is not usable', () => {
  expect(usableLogin({ [server]: { ...login, refused: true } }, server, receivedAt)).toBeUndefined();
});

describe('usable is a login', () => {
  test.each([
    ['when it is received', 0, true],
    ['until a second before its end', 175 * minute - 1_000, true],
    ['not in its last second, of which kubelet could not be told', 175 * minute - 999, false],
    ['not at its end', 175 * minute, false],
    ['not when the node was off for a day', 24 * hour, false],
    ['with a clock an hour forward', hour, true],
    ['with a clock a little back', -minute, true],
    ['not with a clock back by more than that, which says nothing of its age', -minute - 1, false],
    ['not with a clock an hour back', -hour, false],
  ])('%s', (_, after, usable) => {
    const found = usableLogin({ [server]: login }, server, receivedAt + after);
    expect(found).toBe(usable ? login : undefined);
  });

  test.each(['other.azurecr.io', '__proto__', 'constructor', 'toString'])('not for %s', (name) => {
    expect(usableLogin({ [server]: login }, name, receivedAt)).toBe(undefined);
  });

  test('of its own server, whatever its name', () => {
    const logins = parseLogins(`{ "logins": { "__proto__": ${JSON.stringify(login)} } }`);
    expect(usableLogin(logins, '__proto__', receivedAt)).toEqual(login);
    expect(usableLogin(logins, 'username', receivedAt)).toBe(undefined);
  });
});

describe('a store', () => {
  const written = text({ [server]: login });

  test('is read as it was written', () => {
    expect(parseLogins(written)).toEqual({ [server]: login });
    expect(parseLogins(text({ [server]: { ...login, refused: true } }))).toEqual({
      [server]: { ...login, refused: true },
    });
  });

  test('of a later release is read as far as it is known', () => {
    const later = { format: 2, by: 'later', logins: { [server]: { ...login, scope: ['pull'], refused: 1 } } };
    expect(parseLogins(JSON.stringify(later))).toStrictEqual({ [server]: login });
  });

  test.each([
    ['is empty', ''],
    ['is cut off', written.slice(0, -5)],
    ['is null', 'null'],
    ['is a list', '[1]'],
    ['is a text', '"canary"'],
    ['has no logins', '{ "format": 1 }'],
    ['has logins that are null', '{ "format": 1, "logins": null }'],
    ['has a list of logins', JSON.stringify({ format: 1, logins: ['canary'] })],
  ])('that %s has none', (_, text) => {
    expect(parseLogins(text)).toEqual({});
  });

  test.each([
    ['null', null],
    ['a text', 'canary'],
    ['without a password', { ...login, password: undefined }],
    ['with an empty password', { ...login, password: '' }],
    ['with an empty user name', { ...login, username: '' }],
    ['with a user name that is no text', { ...login, username: 1 }],
    ['with no time of receipt', { ...login, receivedAt: undefined }],
    ['with a time that is no number', { ...login, receivedAt: '1' }],
    ['with an end that is no number', { ...login, until: '1' }],
    ['with no end where one is meant', { ...login, until: null }],
  ])('is read without a login that is %s', (_, damaged) => {
    expect(parseLogins(text({ 'damaged.azurecr.io': damaged, [server]: login }))).toEqual({
      [server]: login,
    });
  });
});

describe('the newest of two stores', () => {
  const at = (receivedAt: number): StoredLogin => ({ ...names, receivedAt });
  test.each([
    ['another server is kept', { 'a.io': at(1) }, { 'b.io': at(2) }, { 'a.io': at(1), 'b.io': at(2) }],
    ['the later of a server is kept', { 'a.io': at(1) }, { 'a.io': at(2) }, { 'a.io': at(2) }],
    ['a found one that came later stays', { 'a.io': at(3) }, { 'a.io': at(2) }, { 'a.io': at(3) }],
    [
      'of equal ones the fresh is kept',
      { 'a.io': at(2) },
      { 'a.io': { ...at(2), username: 'new' } },
      undefined,
    ],
    ['one from the future gives way', { 'a.io': at(hour) }, { 'a.io': at(2) }, { 'a.io': at(2) }],
    [
      'one from the future that has no rival stays, and is not handed out',
      { 'b.io': at(hour) },
      { 'a.io': at(2) },
      { 'a.io': at(2), 'b.io': at(hour) },
    ],
  ])('%s', (_, found, fresh, expected) => {
    expect(newestLogins(found, fresh, 3)).toEqual(expected ?? fresh);
  });

  test('a name of a prototype is a name like any other', () => {
    const odd = parseLogins(`{ "logins": { "__proto__": ${JSON.stringify(at(1))} } }`);
    expect(Object.entries(newestLogins(odd, {}, 3))).toEqual([['__proto__', at(1)]]);
    expect(Object.entries(newestLogins({}, odd, 3))).toEqual([['__proto__', at(1)]]);
  });
});
