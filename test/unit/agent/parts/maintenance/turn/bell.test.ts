import { expect, test } from 'vitest';
import { turnBell, turnKeys, turnMemory } from '../../../../../../src/agent/parts/maintenance/index.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';

test('turnBell rings once for each new request of a node', async () => {
  const host = memoryHost();
  const api = aCluster(host);
  const bell = turnBell(turnMemory());
  const ring = () => bell(host, aNode('server'));
  putNode(api);
  expect(await ring()).toBe(false);
  putNode(api, {
    metadata: { name: 'vm-1', annotations: { [turnKeys.request]: '{"wish":"restart config"}' } },
  });
  expect([await ring(), await ring()]).toEqual([true, false]);
  putNode(api, { metadata: { name: 'vm-1', annotations: { [turnKeys.request]: '{"wish":"upgrade"}' } } });
  expect(await ring()).toBe(true);
  putNode(api);
  expect(await ring()).toBe(false);
});

test('turnBell does not read the requests on an agent', async () => {
  const host = memoryHost();
  expect(await turnBell(turnMemory())(host, aNode('agent'))).toBe(false);
  expect(host.journal).toEqual([]);
});

test('turnBell rejects while the API does not answer', async () => {
  const host = memoryHost();
  aCluster(host).isUp = () => false;
  await expect(turnBell(turnMemory())(host, aNode('server'))).rejects.toMatchObject({
    reason: 'ApiUnavailable',
  });
});
