import { describe, expect, test } from 'vitest';
import {
  isBegun,
  readTurn,
  turnKeys,
  withdrawnText,
} from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';

const request = {
  wish: 'upgrade v1.36.4+k3s1',
  kind: 'upgrade',
  digest: '3f2a9c1b2d4e',
  boot: '0123abcd',
  drain: true,
  server: false,
  routes: false,
};
const grant = {
  digest: '3f2a9c1b2d4e',
  boot: '0123abcd',
  nonce: '00112233aabbccdd',
  seconds: 900,
  nowhere: false,
};
const state = {
  nonce: grant.nonce,
  digest: grant.digest,
  wish: request.wish,
  state: 'begun',
  message: '',
} as const;

describe('a turn that a node has begun', () => {
  const other = { ...grant, nonce: '8899aabbccddeeff' };

  test.each([
    ['lasts with its grant', { grant, state }, true],
    ['lasts although its grant was removed', { state }, true],
    ['is over once it has ended', { grant, state: { ...state, state: 'done' } }, false],
    ['is over once it is withdrawn', { state, withdrawn: grant.nonce }, false],
    ['is over once the node has another grant', { grant: other, state }, false],
  ] as const)('%s', (_, annotations, expected) => {
    expect(isBegun(annotations)).toBe(expected);
  });
});

describe('readTurn', () => {
  test('returns what a node and the holder of the Lease have written', () => {
    const annotations = {
      [turnKeys.request]: JSON.stringify(request),
      [turnKeys.grant]: JSON.stringify(grant),
      [turnKeys.state]: JSON.stringify(state),
    };
    expect(readTurn(annotations)).toEqual({ request, grant, state });
  });

  test.each([
    ['a value that is not an object', 'true'],
    ['an unknown kind', JSON.stringify({ ...request, kind: 'holiday' })],
    ['a digest that is not hexadecimal', JSON.stringify({ ...request, digest: 'swordfish' })],
    ['a wish of 201 characters', JSON.stringify({ ...request, wish: 'x'.repeat(201) })],
    ['more than 4,096 characters', `${JSON.stringify(request)}${' '.repeat(4_096)}x`],
  ])('ignores a request with %s', (_, text) => {
    expect(readTurn({ [turnKeys.request]: text }).request).toBeUndefined();
  });

  test.each([
    ['of no seconds', { ...grant, seconds: 0 }],
    ['of more than a day', { ...grant, seconds: 86_401 }],
    ['without a nonce', { ...grant, nonce: '' }],
  ])('ignores a grant %s', (_, written) => {
    expect(readTurn({ [turnKeys.grant]: JSON.stringify(written) }).grant).toBeUndefined();
  });

  test('returns the nonce of a grant that was withdrawn, and no grant', () => {
    const annotations = { [turnKeys.grant]: withdrawnText(grant.nonce) };
    expect(readTurn(annotations)).toEqual({ withdrawn: grant.nonce });
  });
});
