import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { readOwn, renderOwn } from '../../../../src/agent/engine/own-file.ts';

const schema = z.object({ name: z.string(), size: z.optional(z.number()) });

test('a file of our own begins with its format', () => {
  expect(renderOwn({ format: 3 }, { name: 'a' })).toBe('{\n  "format": 3,\n  "name": "a"\n}\n');
});

describe('a file of our own', () => {
  test.each([
    ['of the same format', '{ "format": 1, "name": "a", "size": 2 }'],
    ['from before there were formats', '{ "name": "a", "size": 2 }'],
    [
      'of a higher format, with fields that are not known',
      '{ "format": 9, "new": { "a": [1] }, "name": "a", "size": 2 }',
    ],
  ])('is read: %s', (_, text) => {
    expect(readOwn(schema, text)).toEqual({ name: 'a', size: 2 });
  });

  test.each([
    ['nothing', ''],
    ['half of it', '{ "format": 1, "na'],
    ['a list', '[]'],
    ['a field is missing', '{ "format": 2, "title": "a" }'],
    ['a field is of another type', '{ "format": 2, "name": ["a"] }'],
    ['a field that may be absent is of another type', '{ "format": 2, "name": "a", "size": "2" }'],
    ['the format is of another type', '{ "format": "2", "name": "a" }'],
  ])('counts as lost: %s', (_, text) => {
    expect(readOwn(schema, text)).toBeUndefined();
  });

  test('has its format for itself where every field is read', () => {
    expect(readOwn(z.looseObject({}), '{ "format": 1, "name": "a" }')).toEqual({ name: 'a' });
  });
});
