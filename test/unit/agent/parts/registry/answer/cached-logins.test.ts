import { describe, expect, test } from 'vitest';
import {
  type CachedLogin,
  cachedLogin,
  mergedLogins,
  parseCachedLogins,
  usableLogin,
} from '../../../../../../src/agent/parts/registry/answer/cached-logins.ts';

const minute = 60_000;
const hour = 60 * minute;
const received = Date.UTC(2026, 10, 20, 12);
const server = 'team.azurecr.io';
const names = { username: 'nobody', password: 'canary' };
const login = cachedLogin(names, received, 3 * hour);

test('of three hours the last five minutes are not used', () => {
  expect(login).toEqual({ ...names, receivedAt: received, usableUntil: received + 3 * hour - 5 * minute });
});

test('a password without an end that is known is usable for ever', () => {
  const endless = cachedLogin(names, received, undefined);
  expect(endless).toEqual({ ...names, receivedAt: received });
  expect(usableLogin({ [server]: endless }, server, received + 10_000 * hour)).toBe(endless);
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
    const found = usableLogin({ [server]: login }, server, received + after);
    expect(found).toBe(usable ? login : undefined);
  });

  test.each(['other.azurecr.io', '__proto__', 'constructor', 'toString'])('not for %s', (name) => {
    expect(usableLogin({ [server]: login }, name, received)).toBe(undefined);
  });

  test('of its own server, whatever its name', () => {
    const logins = parseCachedLogins(`{ "__proto__": ${JSON.stringify(login)} }`);
    expect(usableLogin(logins, '__proto__', received)).toEqual(login);
    expect(usableLogin(logins, 'username', received)).toBe(undefined);
  });
});

describe('a cache file', () => {
  const written = JSON.stringify({ [server]: login });

  test('is read as it was written', () => {
    expect(parseCachedLogins(written)).toEqual({ [server]: login });
  });

  test.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['is cut off', written.slice(0, -5)],
    ['is null', 'null'],
    ['is a list', '[1]'],
    ['is a text', '"canary"'],
  ])('that %s has no logins', (_, text) => {
    expect(parseCachedLogins(text)).toEqual({});
  });

  test.each([
    ['null', null],
    ['a text', 'canary'],
    ['without a password', { ...login, password: undefined }],
    ['with an empty password', { ...login, password: '' }],
    ['with a user name that is no text', { ...login, username: 1 }],
    ['with no time of receipt', { ...login, receivedAt: undefined }],
    ['with a time that is no number', { ...login, receivedAt: '1' }],
    ['with an end that is no number', { ...login, usableUntil: '1' }],
    ['with no end where one is meant', { ...login, usableUntil: null }],
  ])('is read without a login that is %s', (_, damaged) => {
    const text = JSON.stringify({ 'damaged.azurecr.io': damaged, [server]: login });
    expect(parseCachedLogins(text)).toEqual({ [server]: login });
  });
});

describe('merged', () => {
  const at = (receivedAt: number): CachedLogin => ({ ...names, receivedAt });
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
    ['one from the future is dropped', { 'b.io': at(hour) }, { 'a.io': at(2) }, { 'a.io': at(2) }],
  ])('%s', (_, found, fresh, expected) => {
    expect(mergedLogins(found, fresh, 3)).toEqual(expected ?? fresh);
  });

  test('a name of a prototype is a name like any other', () => {
    const odd = parseCachedLogins(`{ "__proto__": ${JSON.stringify(at(1))} }`);
    expect(Object.entries(mergedLogins(odd, {}, 3))).toEqual([['__proto__', at(1)]]);
    expect(Object.entries(mergedLogins({}, odd, 3))).toEqual([['__proto__', at(1)]]);
  });
});
