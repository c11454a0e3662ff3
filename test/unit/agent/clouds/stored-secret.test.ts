import { expect, test } from 'vitest';
import { storedSecret } from '../../../../src/agent/clouds/stored-secret.ts';
import { failure } from '../../../contract/cloud.ts';

const stored = (value: string) => storedSecret(value, 'The file /t', 'Write it again.');

test.each([
  ['K10abc\r\n', 'K10abc'],
  ['with spaces ', 'with spaces '],
])('storedSecret removes only a trailing newline from %j', (value, secret) => {
  expect(stored(value).reveal()).toBe(secret);
});

test.each([
  [' \n', 'is empty'],
  ['\uFEFF', 'is empty'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an unfilled variable.
  ['${canary}\n', 'has a template variable that was not filled in'],
  ['canary\ncanary', 'has more than one line'],
  ['canary\n \n', 'has more than one line'],
  ['c\0a\0n\0a\0r\0y\0\r\0\n\0', 'has characters no token has'],
  ['\uFEFFcanary', 'has characters no token has'],
  ['\uFFFDcanary', 'has characters no token has'],
  ['canary\u001b[2J', 'has characters no token has'],
])('storedSecret refuses %j without quoting it', async (value, fault) => {
  const { reason, endedBy, message } = await failure(Promise.resolve().then(() => stored(value)));
  expect([reason, endedBy]).toEqual(['SecretEmpty', 'person']);
  expect(message).toMatch(new RegExp(`^The file /t ${fault}.*Write it again\\.$`));
  expect(message).not.toMatch(/canary|c.a.n.a.r.y/s);
});
