import { expect, test } from 'vitest';
import { reveal } from '../../../../../../src/agent/engine/secret.ts';
import { basicAuth, bearerAuth, parseToken } from '../../../../../../src/agent/parts/k3s/membership/token.ts';

const hash = 'a1'.repeat(32);

test.each([
  ['swordfish\n', { kind: 'password', credential: 'swordfish' }],
  ['K1x', { kind: 'password', credential: 'K1x' }],
  ['a:b', { kind: 'password', credential: 'a:b' }],
  ['abcdef.0123456789abcdef', { kind: 'bootstrap', credential: 'abcdef.0123456789abcdef' }],
  ['abcdef.0123456789abcdef0', { kind: 'password', credential: 'abcdef.0123456789abcdef0' }],
  ['0abcdef.0123456789abcdef', { kind: 'password', credential: '0abcdef.0123456789abcdef' }],
  [`K10${hash}::server:swordfish`, { caHash: hash, kind: 'password', credential: 'swordfish' }],
  [`K10${hash}::node:a::b`, { caHash: hash, kind: 'password', credential: 'a::b' }],
  [
    `K10${hash}::abcdef.0123456789abcdef`,
    { caHash: hash, kind: 'bootstrap', credential: 'abcdef.0123456789abcdef' },
  ],
  ['K10::server:swordfish', { kind: 'password', credential: 'swordfish' }],
])('parseToken reads %j as %j', (text, expected) => {
  expect(parseToken(text)).toEqual({ caHash: undefined, ...expected });
});

test.each([
  '',
  ' \n',
  'two words',
  'two\nlines',
  'K10',
  'K10abc::server:x',
  `K10${hash}::server:`,
  `K10${hash}${hash}::server:x`,
  `K10xK10${hash}::server:x`,
  `K10${hash}::x`,
  'schlüssel',
])('parseToken rejects %j', (text) => {
  expect(parseToken(text)).toBeUndefined();
});

test('basicAuth and bearerAuth return headers that hide the token when printed', () => {
  const headers = [basicAuth('node', 'swordfish'), bearerAuth('abcdef.0123456789abcdef')];
  expect(headers.map(reveal)).toEqual(['Basic bm9kZTpzd29yZGZpc2g=', 'Bearer abcdef.0123456789abcdef']);
  expect(headers.map(String)).toEqual(['Basic ‹redacted›', 'Bearer ‹redacted›']);
});
