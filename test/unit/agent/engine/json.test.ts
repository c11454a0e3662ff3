import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { jsonFault, parseJson, readJson } from '../../../../src/agent/engine/json.ts';

const schema = z.object({ a: z.optional(z.array(z.string())) });

test('JSON that fits its schema is read without unknown fields', () => {
  expect(parseJson(schema, '{"a":["x"],"b":1}')).toEqual({ a: ['x'] });
});

test.each(['', 'null', '{', '{"a":1}', '{"a":["x",1]}', '<html>'])('%j is not read', (text) => {
  expect(parseJson(schema, text)).toBeUndefined();
});

test.each([
  ['{"a":["x",1]}', 'a.1 is missing or of another kind'],
  ['null', 'the whole is of another kind'],
  ['<html>', 'it is not JSON'],
  [','.repeat(50_001), 'it has more than 50000 commas'],
])('the fault of %.20j is that %s', (text, fault) => {
  const { error } = readJson(schema, text);
  expect(error && jsonFault(error)).toBe(fault);
});

test('a text with too many values is not parsed', () => {
  const list = (length: number) => `{"a":[${Array(length).fill('""').join(',')}]}`;
  expect(parseJson(schema, list(50_000))?.a).toHaveLength(50_000);
  expect(parseJson(schema, list(50_001))).toBeUndefined();
});
