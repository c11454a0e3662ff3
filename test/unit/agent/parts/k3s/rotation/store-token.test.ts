import { expect, test } from 'vitest';
import { parseToken, type Token } from '../../../../../../src/agent/parts/k3s/membership/token.ts';
import { saveToken, storeToken } from '../../../../../../src/agent/parts/k3s/rotation/store-token.ts';
import { rotatingServer } from './a-rotation.ts';

const [old, next] = ['swordfish', 'marlin'].map((text) => parseToken(text)) as [Token, Token];
const tokens = { from: old, to: next };

test('storeToken asks the running K3s once, with the old token, and shows no token in the journal', async () => {
  const { host, node, requests } = rotatingServer('begun');
  expect(await storeToken(host, node, tokens)).toBe('from');
  expect(requests).toEqual(['swordfish -> marlin']);
  expect(JSON.stringify(host.journal)).not.toMatch(/swordfish|marlin/);
});

test.each([
  ['with the new token if K3s has started with it', [401], ['swordfish -> marlin', 'marlin -> marlin'], 'to'],
  [
    'to store the old token and again the new one after status 500, because K3s may have stored only half',
    [500],
    ['swordfish -> marlin', 'swordfish -> swordfish', 'swordfish -> marlin'],
    'from',
  ],
  [
    'to store the old token and again the new one, with the new token if K3s has started with it',
    [401, 500],
    ['swordfish -> marlin', 'marlin -> marlin', 'marlin -> swordfish', 'marlin -> marlin'],
    'to',
  ],
])('storeToken asks %s', async (_name, codes, expected, accepted) => {
  const { host, node, requests, answers } = rotatingServer('begun');
  answers.push(...codes);
  expect(await storeToken(host, node, tokens)).toBe(accepted);
  expect(requests).toEqual(expected);
});

test.each([
  ['refuses both tokens', [401, 401], 'answers 401'],
  ['does not know the request', [404], 'answers 404'],
  ['fails for both tokens', [500, 500], 'answers 500'],
  ['fails again for the new token', [500, 200, 500], 'answers 500'],
])('storeToken throws TokenRotationFailed if K3s %s', async (_name, codes, words) => {
  const { host, node, answers } = rotatingServer('begun');
  answers.push(...codes);
  const error = await storeToken(host, node, tokens).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ reason: 'TokenRotationFailed', blocks: false, endedBy: 'person' });
  expect(String(error)).toContain(words);
  expect(String(error)).not.toMatch(/swordfish|marlin/);
});

test('storeToken waits while K3s starts', async () => {
  const { host, node, answers, requests } = rotatingServer('begun');
  answers.push(503);
  await expect(storeToken(host, node, tokens)).rejects.toMatchObject({
    reason: 'ServerNotReady',
    blocks: false,
  });
  expect(requests).toHaveLength(1);
});

test('saveToken asks K3s to rotate to the token that it has, and throws if K3s refuses', async () => {
  const { host, node, requests, answers } = rotatingServer(undefined);
  await saveToken(host, node, old);
  expect(requests).toEqual(['swordfish -> swordfish']);
  answers.push(500);
  await expect(saveToken(host, node, old)).rejects.toMatchObject({ reason: 'TokenRotationFailed' });
});
