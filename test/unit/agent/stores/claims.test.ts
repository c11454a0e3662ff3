import { expect, test } from 'vitest';
import { claimed } from '../../../../src/agent/stores/claims.ts';

/** Makes a store with one object, and a service that answers a request to create the object with `outcome`. */
function storeWith(outcome: 'created' | 'exists' | Error, text: string | undefined) {
  const limits: number[] = [];
  return {
    limits,
    name: 'the store',
    async create() {
      if (outcome instanceof Error) {
        throw outcome;
      }
      return outcome;
    },
    async read(_: string, limit: number) {
      limits.push(limit);
      return text;
    },
  };
}

test('a claim is granted if the store created the object, without another request', async () => {
  const store = storeWith('created', undefined);
  expect(await claimed(store, 'a', 'mine')).toBe('claimed');
  expect(store.limits).toEqual([]);
});

test('a claim is granted again if the object has the own text', async () => {
  const store = storeWith('exists', 'mine');
  expect(await claimed(store, 'a', 'mine')).toBe('claimed');
  expect(store.limits).toEqual([65_536]);
});

test.each(['', 'other', 'mine ', 'Mine'])(
  'a claim is not granted if the object has the text %j',
  async (text) => {
    expect(await claimed(storeWith('exists', text), 'a', 'mine')).toBe('exists');
  },
);

test('a claim is in doubt if the store does not show the object', async () => {
  await expect(claimed(storeWith('exists', undefined), 'a', 'mine')).rejects.toMatchObject({
    reason: 'StoreUncertain',
    endedBy: 'time',
    message: expect.stringMatching(/^The store says that a exists, but does not show it/),
  });
});

test('a claim fails with the error of the store', async () => {
  const error = new Error('no answer');
  await expect(claimed(storeWith(error, 'mine'), 'a', 'mine')).rejects.toBe(error);
});
