import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { jsonFault, parseJson, readJson } from '../../../../src/agent/engine/json.ts';

const schema = z.object({ a: z.optional(z.array(z.string())) });

test('parseJson returns the data without the fields that the schema does not name', () => {
  expect(parseJson(schema, '{"a":["x"],"b":1}')).toEqual({ a: ['x'] });
});

test.each(['', 'null', '{', '{"a":1}', '{"a":["x",1]}', '<html>'])(
  'parseJson returns undefined for text that is not JSON or does not match the schema: %j',
  (text) => {
    expect(parseJson(schema, text)).toBeUndefined();
  },
);

test.each([
  ['a.1 is missing or of another kind', '{"a":["x",1]}'],
  ['the whole is of another kind', 'null'],
  ['it is not JSON', '<html>'],
  ['it has more than 50000 commas', ','.repeat(50_001)],
])('jsonFault reports that %s', (fault, text) => {
  const { error } = readJson(schema, text);
  expect(error && jsonFault(error)).toBe(fault);
});

test('parseJson rejects JSON with more than 50 000 commas, and accepts 50 000', () => {
  const list = (commas: number) => `{"a":[""${',""'.repeat(commas)}]}`;
  expect(parseJson(schema, list(50_000))?.a).toHaveLength(50_001);
  expect(parseJson(schema, list(50_001))).toBeUndefined();
});
