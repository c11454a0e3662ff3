import { beforeEach, expect, test } from 'vitest';
import { emptyNode } from '../../../../../../src/agent/parts/maintenance/drain/empty-node.ts';
import { kernelClock } from '../../../../../lab/kernel-clock.ts';
import type { MemoryApi } from '../../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';
import { podsOn, putBudget, putPod } from './some-pods.ts';

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost({ directories: ['/proc', '/run'] });
  kernelClock(host);
  api = aCluster(host);
  putNode(api, { spec: { taints: [] } });
  putPod(api, 'web', { labels: { app: 'web' } });
  putPod(api, 'proxy', { owner: 'DaemonSet' });
  host.advance(1_000);
});

function empty(steps: string[] = [], timeout = '1m') {
  const { drain } = aNode('agent').settings.maintenance;
  const settings = { maintenance: { drain: { ...drain, timeout } } };
  return emptyNode(host, aNode('agent', { settings }), 'leave', (step) => steps.push(step));
}

function isCordoned(): boolean {
  return Object(api.objects.get('nodes', undefined, 'vm-1')?.spec).unschedulable === true;
}

test('emptyNode cordons the node, and waits until its pods have ended', async () => {
  const steps: string[] = [];
  expect(await empty(steps)).toBeUndefined();
  expect(podsOn(api)).toEqual(['proxy']);
  expect(isCordoned()).toBe(true);
  expect(steps[0]).toBe('cordon vm-1 for: leave');
  expect(steps[1]).toMatch(/^drain vm-1: evict 1 pod/);
});

test('a drain that is given up names the pods that are left', async () => {
  putBudget(api, 'web', 'web', 1);
  expect(await empty()).toMatchObject({ state: 'GaveUp', message: expect.stringContaining('default/web') });
  expect(podsOn(api)).toEqual(['proxy', 'web']);
});

test('a second call begins a drain of its own', async () => {
  putBudget(api, 'web', 'web', 1);
  await empty();
  api.objects.remove('poddisruptionbudgets.policy', 'default', 'web');
  expect(await empty()).toBeUndefined();
  expect(podsOn(api)).toEqual(['proxy']);
});

test('a node that the cluster does not have needs no drain', async () => {
  api.objects.remove('nodes', undefined, 'vm-1');
  expect(await empty()).toBeUndefined();
});

test('an API that does not answer is an error', async () => {
  api.isUp = () => false;
  await expect(empty()).rejects.toMatchObject({ reason: 'ApiUnavailable' });
});
