import { describe, expect, test } from 'vitest';
import { readJwt, received } from '../../../../src/agent/clouds/jwt.ts';
import { Secret } from '../../../../src/agent/engine/secret.ts';

const token = (claims: unknown) => written(JSON.stringify(claims));
const written = (claims: string) => `e30.${Buffer.from(claims).toString('base64url')}.c2ln`;

test('readJwt returns the dates of a token in milliseconds', () => {
  expect(readJwt(token({ iat: 1_767_225_600, exp: 1_767_236_400, sub: 'ä?' }))).toEqual({
    issuedAt: Date.UTC(2026, 0, 1),
    expiresAt: Date.UTC(2026, 0, 1, 3),
  });
});

test.each([
  ['a password', 'hunter2'],
  ['an empty string', ''],
  ['claims that are not JSON', 'e30.AAAA.c2ln'],
  ['claims that are null', token(null)],
  ['a token without an expiry', token({ iat: 1 })],
  ['a token without an issue date', token({ exp: 2 })],
  ['dates that are strings', token({ iat: '1', exp: '2' })],
  ['an expiry before the issue date', token({ iat: 2, exp: 1 })],
  ['an expiry at the issue date', token({ iat: 2, exp: 2 })],
  ['an issue date of zero', token({ iat: 0, exp: 2 })],
  ['a negative issue date', token({ iat: -1, exp: 2 })],
  ['an expiry beyond the range of numbers', written('{"iat":1,"exp":1e999}')],
  ['an expiry beyond the range of Date', token({ iat: 1, exp: 8.64e12 + 1 })],
  ['an encrypted token, which has five parts', `${token({ iat: 1, exp: 2 })}.x.y`],
])('readJwt returns undefined for %s', (_what, text) => {
  expect(readJwt(text)).toBeUndefined();
});

describe('received', () => {
  const at = Date.UTC(2026, 0, 1);
  const hour = 3_600;
  const issued = at / 1_000;

  test.each([
    ['a correct clock', 0],
    ['a clock an hour ahead of the issuer', -hour],
    ['a clock an hour behind the issuer', hour],
    ['a clock that shows 1970', 56 * 365 * 24 * hour],
  ])('counts the life of a password from the time of receipt, on a host with %s', (_, skew) => {
    const password = new Secret(token({ iat: issued + skew, exp: issued + skew + 3 * hour }));
    expect(received(password, at)).toEqual({ password, until: at + 3 * hour * 1_000 });
  });

  test.each(['hunter2', token({ iat: 2, exp: 1 })])(
    'sets no expiry for a password that is not a dated token: %s',
    (text) => {
      const password = new Secret(text);
      expect(received(password, at)).toStrictEqual({ password });
    },
  );
});
