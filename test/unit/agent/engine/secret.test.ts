import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { reveal, Secret, sensitive } from '../../../../src/agent/engine/secret.ts';

const canary = 'canary-1f0c';
const secret = new Secret(canary);

test.each([
  ['interpolated', `${secret}`],
  ['concatenated', '' + secret],
  ['serialised', JSON.stringify({ a: [secret] })],
  ['inspected', inspect({ a: secret }, { depth: 9, showHidden: true })],
  ['spread', JSON.stringify({ ...secret })],
  ['quoted in an error', String(new Error(`failed with ${secret}`))],
])('a secret is not visible when %s', (_, printed) => {
  expect(printed).not.toContain(canary);
});

test('a secret with its own redacted text shows this text when printed', () => {
  const shown = new Secret(canary, 'Bearer ‹redacted›');
  expect(`${shown}`).toBe('Bearer ‹redacted›');
  expect(JSON.stringify([shown])).toBe('["Bearer ‹redacted›"]');
  expect(inspect([shown])).toBe('[ Bearer ‹redacted› ]');
});

test('a redacted text is computed only when a secret is printed', () => {
  let times = 0;
  const shown = new Secret(canary, () => {
    times += 1;
    return 'shown';
  });
  expect(shown.reveal()).toBe(canary);
  expect(times).toBe(0);
  expect(`${shown}, ${JSON.stringify(shown)}, ${inspect(shown)}`).toBe('shown, "shown", shown');
});

test('reveal returns the text of a secret, and returns plain text unchanged', () => {
  expect(secret.reveal()).toBe(canary);
  expect(reveal(secret)).toBe(canary);
  expect(reveal('plain')).toBe('plain');
});

test('sensitive returns text that shows its secrets only when revealed', () => {
  const text = sensitive((show) => `password: ${show(secret)}\n`);
  expect(text.reveal()).toBe(`password: ${canary}\n`);
  expect(`${text}`).toBe('password: ‹redacted›\n');
});
