import { expect, test } from 'vitest';
import { sha256 } from '../../../../src/agent/engine/digest.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import type { Protocol } from '../../../../src/agent/stores/protocol.ts';
import { restStore } from '../../../../src/agent/stores/rest-store.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const protocol: Protocol = {
  name: 'the store',
  within: '',
  largest: 2 ** 40,
  urlOf: async (key) => `https://store.example/${key}`,
  listUrl: async () => 'https://store.example/',
  creating: () => ({}),
  authorize: async () => ({}),
  forget: () => {},
  digestOf: () => undefined,
  readPage: () => undefined,
  verdict: () => 'done',
  refused: () => new NodeError('InternalError', 'refused'),
};

test.each([1, 2 ** 33])(
  'a transfer of %i bytes may take six hours, because a link may be slow',
  async (bytes) => {
    const host = memoryHost();
    const limits: number[] = [];
    const answer = { status: 200, headers: {}, body: '' };
    host.upload = async ({ timeout }) => {
      limits.push(timeout);
      return answer;
    };
    host.fetchFile = async ({ timeout }) => {
      limits.push(timeout);
      return answer;
    };
    const store = restStore(host, protocol);
    await store.put('a', '/from', { bytes, sha256: sha256('') });
    await store.fetch('a', '/to', bytes);
    expect(limits).toEqual([6 * 3_600_000, 6 * 3_600_000]);
  },
);
