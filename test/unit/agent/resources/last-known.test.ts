import { expect, test } from 'vitest';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { learn } from '../../../../src/agent/resources/last-known.ts';

const down = () =>
  Promise.reject(
    new NodeError('IdentityUnavailable', 'IMDS is down', { endedBy: 'time', retry: { after: 7 } }),
  );

test('learn replaces the earlier value and clears the error', async () => {
  expect(await learn({ value: 1, error: new NodeError('Unreachable', '') }, async () => 2)).toEqual({
    value: 2,
  });
});

test('learn without an earlier value returns an error that blocks', async () => {
  expect(await learn(undefined, down)).toMatchObject({
    error: { reason: 'IdentityUnavailable', blocks: true },
  });
});

test('learn keeps an earlier value with an error that does not block', async () => {
  const known = await learn({ value: 1 }, down);
  expect(known).toMatchObject({
    value: 1,
    error: { reason: 'IdentityUnavailable', blocks: false, endedBy: 'time', retry: { after: 7 } },
  });
});
