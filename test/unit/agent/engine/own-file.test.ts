import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { readOwn, renderOwn } from '../../../../src/agent/engine/own-file.ts';

const schema = z.object({ name: z.string(), size: z.optional(z.number()) });

test('a file of Slipway begins with its format', () => {
  expect(renderOwn({ format: 3 }, { name: 'a' })).toBe('{\n  "format": 3,\n  "name": "a"\n}\n');
});

describe('a file of Slipway', () => {
  test.each([
    ['of the same format', '{ "format": 1, "name": "a", "size": 2 }'],
    ['without a format, from an early release', '{ "name": "a", "size": 2 }'],
    [
      'of a higher format, with unknown fields',
      '{ "format": 9, "new": { "a": [1] }, "name": "a", "size": 2 }',
    ],
  ])('is read: %s', (_, text) => {
    expect(readOwn(schema, text)).toEqual({ name: 'a', size: 2 });
  });

  test.each([
    ['nothing', ''],
    ['half a file', '{ "format": 1, "na'],
    ['a list', '[]'],
    ['a missing field', '{ "format": 2, "title": "a" }'],
    ['a field of another type', '{ "format": 2, "name": ["a"] }'],
    ['an optional field of another type', '{ "format": 2, "name": "a", "size": "2" }'],
    ['a format of another type', '{ "format": "2", "name": "a" }'],
  ])('counts as lost: %s', (_, text) => {
    expect(readOwn(schema, text)).toBeUndefined();
  });

  test('keeps its format out of the fields', () => {
    expect(readOwn(z.looseObject({}), '{ "format": 1, "name": "a" }')).toEqual({ name: 'a' });
  });
});
