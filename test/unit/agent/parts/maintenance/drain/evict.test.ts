import { beforeEach, expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import { kubeletAccess } from '../../../../../../src/agent/node-access.ts';
import { evict, remove } from '../../../../../../src/agent/parts/maintenance/drain/evict.ts';
import { readOwnPods } from '../../../../../../src/agent/parts/maintenance/drain/pods.ts';
import type { MemoryApi } from '../../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';
import { podsOn, putBudget, putPod } from './some-pods.ts';

const node = aNode('agent');
const app = { labels: { app: 'web' } };

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost();
  api = aCluster(host);
  putPod(api, 'web', app);
});

/** Reads the pod, lets `meanwhile` happen, and evicts or deletes the pod. */
async function tried(by: typeof evict, meanwhile = () => {}) {
  const [pod] = await readOwnPods(host, node);
  if (pod === undefined) {
    throw new Error('no pod');
  }
  meanwhile();
  return by(host, await kubeletAccess(host, node), pod);
}

function replace(): void {
  api.objects.remove('pods', 'default', 'web');
  putPod(api, 'web', app);
}

test('evict ends a pod that no budget protects', async () => {
  expect(await tried(evict)).toBeUndefined();
  expect(podsOn(api)).toEqual(['-web']);
});

test('evict ends a pod whose budget allows a disruption', async () => {
  putPod(api, 'web-2', app);
  putBudget(api, 'web', 'web', 1);
  host.advance(1_000);
  expect(await tried(evict)).toBeUndefined();
  expect(podsOn(api)).toEqual(['-web', 'web-2']);
});

test('evict returns the message of a budget that refuses, and a wait of five seconds', async () => {
  putBudget(api, 'web', 'web', 1);
  host.advance(1_000);
  expect(await tried(evict)).toEqual({
    says: 'The disruption budget web needs 1 healthy pods and has 1 currently.',
    after: 5,
  });
  expect(podsOn(api)).toEqual(['web']);
});

test('evict returns the wait that the API asks for if no controller has seen the budget yet', async () => {
  const refusal = await tried(evict, () => putBudget(api, 'web', 'web', 0));
  expect(refusal).toEqual({
    says: 'The disruption budget web is still being processed by the server.',
    after: 10,
  });
});

test('evict returns no wait for a pod with two budgets, which the API never evicts', async () => {
  putBudget(api, 'one', 'web', 0);
  putBudget(api, 'two', 'web', 0);
  host.advance(1_000);
  expect(await tried(evict)).toEqual({
    says: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
  });
});

test('evict returns a wait for a pod in a namespace that is being deleted', async () => {
  const metadata = { name: 'default', deletionTimestamp: '2026-01-01T00:00:00Z' };
  api.objects.put('namespaces', undefined, { apiVersion: 'v1', kind: 'Namespace', metadata });
  expect(await tried(evict)).toEqual({ says: 'namespace default is being terminated.', after: 5 });
});

test.each([
  ['is gone', () => api.objects.remove('pods', 'default', 'web')],
  ['was replaced by a pod with the same name', replace],
])('evict and remove delete nothing if the pod %s', async (_, meanwhile) => {
  expect(await tried(evict, meanwhile)).toBeUndefined();
  expect(podsOn(api)).not.toContain('-web');
  putPod(api, 'web', app);
  expect(await tried(remove, meanwhile)).toBeUndefined();
  expect(podsOn(api)).not.toContain('-web');
});

test('remove deletes a pod despite its budgets, with its grace period', async () => {
  putBudget(api, 'one', 'web', 1);
  putBudget(api, 'two', 'web', 1);
  host.advance(1_000);
  expect(await tried(remove)).toBeUndefined();
  expect(podsOn(api)).toEqual(['-web']);
  expect(api.objects.get('pods', 'default', 'web')?.metadata.deletionGracePeriodSeconds).toBe(30);
});

test.each<[number, Readonly<Record<string, string>>, string, object]>([
  [500, {}, 'not JSON', { says: 'The API answers 500.', after: 5 }],
  [
    503,
    { 'retry-after': '30' },
    '{"message":"apiserver is shutting down"}',
    { says: 'apiserver is shutting down.', after: 30 },
  ],
  [
    429,
    { 'retry-after': '86400' },
    '{"message":"Too many requests"}',
    { says: 'Too many requests.', after: 60 },
  ],
  [403, {}, '{"message":"no\\u001b[2J\\nright"}', { says: 'no\\u001b[2J\\nright.', after: 5 }],
  [422, {}, `{"message":"${'x'.repeat(5_000)}"}`, { says: `${'x'.repeat(300)}.`, after: 5 }],
])('evict reports the answer %i as a refusal', async (status, headers, body, expected) => {
  host.onRequest({ method: 'POST', url: /eviction$/ }, { status, headers, body });
  expect(await tried(evict)).toEqual(expected);
});

test('evict fails with ApiForbidden if the API does not accept the certificate', async () => {
  host.onRequest({ method: 'POST', url: /eviction$/ }, { status: 401 });
  await expect(tried(evict)).rejects.toMatchObject({ reason: 'ApiForbidden' });
});

test('evict fails with ApiUnavailable if the API does not answer', async () => {
  host.onRequest({ method: 'POST', url: /eviction$/ }, new NodeError('TimedOut', 'no answer'));
  await expect(tried(evict)).rejects.toMatchObject({ reason: 'ApiUnavailable' });
});

test('the API allows a kubelet to evict and delete only the pods of its own node', async () => {
  putPod(api, 'theirs', { node: 'vm-2' });
  const [pod] = await readOwnPods(host, node);
  if (pod === undefined) {
    throw new Error('no pod');
  }
  const theirs = { ...pod, metadata: { ...pod.metadata, name: 'theirs' } };
  const access = await kubeletAccess(host, node);
  expect(await evict(host, access, theirs)).toMatchObject({
    says: expect.stringContaining('can only evict pods with spec.nodeName set to itself'),
  });
  expect(await remove(host, access, theirs)).toMatchObject({
    says: expect.stringContaining('can only delete pods with spec.nodeName set to itself'),
  });
  expect(podsOn(api, 'vm-2')).toEqual(['theirs']);
});
