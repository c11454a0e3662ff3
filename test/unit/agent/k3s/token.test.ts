import { expect, test } from 'vitest';
import { parseToken } from '../../../../src/agent/k3s/token.ts';

const hash = 'a1'.repeat(32);

test.each([
  ['swordfish\n', { kind: 'password', credential: 'swordfish' }],
  ['K1x', { kind: 'password', credential: 'K1x' }],
  ['a:b', { kind: 'password', credential: 'a:b' }],
  ['abcdef.0123456789abcdef', { kind: 'bootstrap', credential: 'abcdef.0123456789abcdef' }],
  [`K10${hash}::server:swordfish`, { caHash: hash, kind: 'password', credential: 'swordfish' }],
  [`K10${hash}::node:a::b`, { caHash: hash, kind: 'password', credential: 'a::b' }],
  [
    `K10${hash}::abcdef.0123456789abcdef`,
    { caHash: hash, kind: 'bootstrap', credential: 'abcdef.0123456789abcdef' },
  ],
  ['K10::server:swordfish', { kind: 'password', credential: 'swordfish' }],
])('%j', (text, expected) => {
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
  `K10${hash}::x`,
  'schlüssel',
])('%j is none', (text) => {
  expect(parseToken(text)).toBeUndefined();
});
