import { describe, expect, test } from 'vitest';
import { leaves, mergeLayers, originOf, plain } from '../../../../src/agent/settings/merge.ts';

const lowest = { origin: 'default', values: { a: { x: 1, y: 2 }, list: [1, 2], map: {}, name: 'n' } };

function merged(...layers: readonly unknown[]) {
  return mergeLayers(
    lowest,
    layers.map((values, at) => ({ origin: `file ${at}`, values })),
  );
}

describe('mergeLayers', () => {
  test.each([
    ['merges maps', [{ a: { y: 3 } }], { a: { x: 1, y: 3 } }],
    ['replaces lists', [{ list: [3] }], { list: [3] }],
    ['replaces a list with an empty list', [{ list: [] }], { list: [] }],
    ['removes nothing for an empty map', [{ a: {} }], {}],
    ['adds new keys', [{ map: { k: 'v' } }, { map: { l: 'w' } }], { map: { k: 'v', l: 'w' } }],
    ['restores the lowest layer for null', [{ name: 'm' }, { name: null }], { name: 'n' }],
    ['restores a whole map for null', [{ a: { x: 7, z: 8 } }, { a: null }], {}],
    ['removes a key for null if the lowest layer lacks it', [{ map: { k: 1 } }, { map: { k: null } }], {}],
    [
      'keeps the lowest keys if a map replaces a single value',
      [{ a: 5 }, { a: { x: 9 } }],
      { a: { x: 9, y: 2 } },
    ],
    ['replaces a map with a single value', [{ a: 5 }], { a: 5 }],
  ])('%s', (_, layers, difference) => {
    expect(plain(merged(...layers))).toEqual({ ...lowest.values, ...difference });
  });

  test('treats __proto__ as an ordinary key', () => {
    const result = plain(merged(JSON.parse('{"__proto__": {"polluted": true}}')));
    expect(Object.keys(result as object)).toContain('__proto__');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('the origins of merged values', () => {
  test('are listed for every single value, and for empty lists and maps', () => {
    const found = leaves(merged({ a: { y: 3 } }, { list: [] })).map(({ path, origin }) => [
      path.join('.'),
      origin,
    ]);
    expect(found).toEqual([
      ['a.x', 'default'],
      ['a.y', 'file 0'],
      ['list', 'file 1'],
      ['map', 'default'],
      ['name', 'default'],
    ]);
  });

  test.each([
    ['the layer that set the value', ['a', 'y'], 'file 0'],
    ['the layer that set the list around a value', ['list', 1], 'file 1'],
    ['the last layer of the nearest parent of a missing value', ['a', 'missing', 'deep'], 'file 0'],
    ['the last layer for an unknown key', ['other'], 'file 1'],
  ])('originOf returns %s', (_, path, origin) => {
    expect(originOf(merged({ a: { y: 3 } }, { list: [3] }), path, 'default')).toBe(origin);
  });
});
