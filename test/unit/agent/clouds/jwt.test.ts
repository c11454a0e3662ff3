import { expect, test } from 'vitest';
import { readJwt } from '../../../../src/agent/clouds/jwt.ts';

const token = (claims: unknown) => written(JSON.stringify(claims));
const written = (claims: string) => `e30.${Buffer.from(claims).toString('base64url')}.c2ln`;

test('the dates of a token, in milliseconds', () => {
  expect(readJwt(token({ iat: 1_767_225_600, exp: 1_767_236_400, sub: 'ä?' }))).toEqual({
    issuedAt: Date.UTC(2026, 0, 1),
    expiresAt: Date.UTC(2026, 0, 1, 3),
  });
});

test.each([
  ['a password', 'hunter2'],
  ['nothing', ''],
  ['claims that are no JSON', 'e30.AAAA.c2ln'],
  ['claims that are null', token(null)],
  ['no end', token({ iat: 1 })],
  ['no start', token({ exp: 2 })],
  ['dates as texts', token({ iat: '1', exp: '2' })],
  ['an end before its start', token({ iat: 2, exp: 1 })],
  ['an end at its start', token({ iat: 2, exp: 2 })],
  ['a start at zero', token({ iat: 0, exp: 2 })],
  ['a start before zero', token({ iat: -1, exp: 2 })],
  ['an end that no number can hold', written('{"iat":1,"exp":1e999}')],
  ['five parts, which is an encrypted token', `${token({ iat: 1, exp: 2 })}.x.y`],
])('%s is no dated token', (_what, text) => {
  expect(readJwt(text)).toBeUndefined();
});

test.each([
  [{ iat: 1, exp: 2, aud: 'team.azurecr.io' }, 'team.azurecr.io'],
  [{ iat: 1, exp: 2, aud: ['team.azurecr.io'] }, undefined],
  [{ iat: 1, exp: 2 }, undefined],
  [{ aud: 'team.azurecr.io' }, undefined],
])('the audience of %j is %s', (claims, audience) => {
  expect(readJwt(token(claims))?.audience).toBe(audience);
});
