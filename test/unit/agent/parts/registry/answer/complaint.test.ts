import { expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import { complaint } from '../../../../../../src/agent/parts/registry/answer/complaint.ts';

test.each([
  ['an Error', new Error('it is not JSON'), 'it is not JSON'],
  [
    'a NodeError',
    new NodeError('RegistryForbidden', 'It refuses. Allow it.'),
    'RegistryForbidden: It refuses. Allow it.',
  ],
  ['a string', 'broken', 'broken'],
  ['undefined', undefined, 'undefined'],
  ['an Error with several lines', new Error('one\ntwo\r\n\r\nthree'), 'one two three'],
  ['control sequences of a terminal', new Error('\u001b[2J\u0007\u009b31mred\u007f'), ' [2J 31mred '],
  [
    'other line separators and characters that change the direction of text',
    new Error('a\u2028b\u2029c\u202ed\ufeffe\0f'),
    'a b c d e f',
  ],
  ['an unpaired surrogate', new Error('a\ud800b'), 'a b'],
  ['umlauts', new Error('größer als erlaubt'), 'größer als erlaubt'],
])('complaint returns one printable line for %s', (_, thrown, said) => {
  expect(complaint(thrown)).toBe(`slipway-credential-provider: ${said}\n`);
});

test('complaint returns at most 2000 characters', () => {
  expect(complaint(new Error('x'.repeat(1_000_000)))).toMatch(/^slipway-credential-provider: x{2000}\n$/);
});
