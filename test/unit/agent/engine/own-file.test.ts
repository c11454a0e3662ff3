import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { readOwn, renderOwn } from '../../../../src/agent/engine/own-file.ts';

const schema = z.object({ name: z.string(), size: z.optional(z.number()) });

test('renderOwn writes the format first', () => {
  expect(renderOwn({ format: 3 }, { name: 'a' })).toBe('{\n  "format": 3,\n  "name": "a"\n}\n');
});

describe('readOwn', () => {
  test.each([
    ['of the same format', '{ "format": 1, "name": "a", "size": 2 }'],
    ['without a format, as early releases wrote it', '{ "name": "a", "size": 2 }'],
    [
      'of a higher format, with unknown fields',
      '{ "format": 9, "new": { "a": [1] }, "name": "a", "size": 2 }',
    ],
  ])('reads a file %s', (_, text) => {
    expect(readOwn(schema, text)).toEqual({ name: 'a', size: 2 });
  });

  test.each([
    ['an empty file', ''],
    ['a truncated file', '{ "format": 1, "na'],
    ['a list', '[]'],
    ['a file without a required field', '{ "format": 2, "title": "a" }'],
    ['a file with a field of the wrong type', '{ "format": 2, "name": ["a"] }'],
    ['a file with an optional field of the wrong type', '{ "format": 2, "name": "a", "size": "2" }'],
    ['a file with a format of the wrong type', '{ "format": "2", "name": "a" }'],
  ])('returns undefined for %s', (_, text) => {
    expect(readOwn(schema, text)).toBeUndefined();
  });

  test('does not return the format as part of the content', () => {
    expect(readOwn(z.looseObject({}), '{ "format": 1, "name": "a" }')).toEqual({ name: 'a' });
  });
});
