import { describe, expect, test } from 'vitest';
import { isUnknownName, quoted, refusalOf } from '../../../../src/agent/clouds/answers.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';

const answer = (body: unknown, headers = {}) => ({
  status: 400,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

describe('refusalOf', () => {
  test.each([
    ["a service's answer", { error: { code: 'Forbidden', message: 'no' } }, ['Forbidden', 'no']],
    [
      "the token endpoint's answer",
      { error: 'invalid_request', error_description: 'Identity not found' },
      ['invalid_request', 'Identity not found'],
    ],
    ["a registry's answer", { errors: [{ code: 'UNAUTHORIZED', message: 'no' }] }, ['UNAUTHORIZED', 'no']],
    ["Oracle Cloud's answer", { code: 'NotAuthenticated', message: 'no' }, ['NotAuthenticated', 'no']],
    ['an HTML page', '<html>', ['', '']],
    ['an empty body', '', ['', '']],
    ['the body null', 'null', ['', '']],
    ['the body 7', '7', ['', '']],
    ['an empty list of errors', { errors: [] }, ['', '']],
    ['an answer whose code is not a string', { error: { code: 7 } }, ['', '']],
  ])(
    'returns the code and message of the error in %s, or empty strings without an error',
    (_who, body, [code, message]) => {
      expect(refusalOf(answer(body))).toEqual({ code, message });
    },
  );
});

describe('quoted', () => {
  test.each([
    ['Not allowed.\r\nCaller: me', ' It says: Not allowed.'],
    ['Not allowed', ' It says: Not allowed.'],
    ['', ''],
    ['bad token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln here', ' It says: bad token ‹redacted› here.'],
  ])('quotes the first line with its tokens redacted: %j', (said, expected) => {
    expect(quoted(said)).toBe(expected);
  });

  test('cuts a long message after 240 characters', () => {
    expect(quoted('x'.repeat(10_000))).toBe(` It says: ${'x'.repeat(240)}.`);
  });
});

test('isUnknownName finds ENOTFOUND at any depth of causes', () => {
  const enotfound = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
  const failed = (cause: Error) => new NodeError('Unreachable', 'no', { cause });
  expect(isUnknownName(failed(enotfound))).toBe(true);
  expect(isUnknownName(failed(new Error('wrapped', { cause: enotfound })))).toBe(true);
  expect(isUnknownName(failed(Object.assign(new Error('no'), { code: 'ECONNREFUSED' })))).toBe(false);
  expect(isUnknownName(new NodeError('Unreachable', 'no'))).toBe(false);
});
