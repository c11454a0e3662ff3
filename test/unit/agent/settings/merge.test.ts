import { describe, expect, test } from 'vitest';
import { leaves, mergeLayers, originOf, plain } from '../../../../src/agent/settings/merge.ts';

const lowest = { origin: 'default', values: { a: { x: 1, y: 2 }, list: [1, 2], map: {}, name: 'n' } };

function merged(...layers: readonly unknown[]) {
  return mergeLayers(
    lowest,
    layers.map((values, at) => ({ origin: `file ${at}`, values })),
  );
}

describe('later layers win', () => {
  test.each([
    ['maps merge', [{ a: { y: 3 } }], { a: { x: 1, y: 3 } }],
    ['lists replace', [{ list: [3] }], { list: [3] }],
    ['an empty list replaces', [{ list: [] }], { list: [] }],
    ['an empty map removes nothing', [{ a: {} }], {}],
    ['new keys are added', [{ map: { k: 'v' } }, { map: { l: 'w' } }], { map: { k: 'v', l: 'w' } }],
    ['null restores the lowest layer', [{ name: 'm' }, { name: null }], { name: 'n' }],
    ['null restores a whole map', [{ a: { x: 7, z: 8 } }, { a: null }], {}],
    ['null removes a key that the lowest layer does not have', [{ map: { k: 1 } }, { map: { k: null } }], {}],
    ['a map over a single value keeps the lowest keys', [{ a: 5 }, { a: { x: 9 } }], { a: { x: 9, y: 2 } }],
    ['a single value replaces a map', [{ a: 5 }], { a: 5 }],
  ])('%s', (_, layers, difference) => {
    expect(plain(merged(...layers))).toEqual({ ...lowest.values, ...difference });
  });

  test('a key called __proto__ is a key', () => {
    const result = plain(merged(JSON.parse('{"__proto__": {"polluted": true}}')));
    expect(Object.keys(result as object)).toContain('__proto__');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('origins', () => {
  test('each leaf knows its layer', () => {
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
    ['the layer that set it', ['a', 'y'], 'file 0'],
    ['the layer that set the list around it', ['list', 1], 'file 1'],
    ['the last layer around a missing value', ['a', 'missing', 'deep'], 'file 0'],
    ['the last layer', ['other'], 'file 1'],
  ])('a value comes from %s', (_, path, origin) => {
    expect(originOf(merged({ a: { y: 3 } }, { list: [3] }), path, 'default')).toBe(origin);
  });
});
