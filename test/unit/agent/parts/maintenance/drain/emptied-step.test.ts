import { beforeEach, expect, test } from 'vitest';
import { emptiedStep } from '../../../../../../src/agent/parts/maintenance/drain/emptied-step.ts';
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
  host.advance(1_000);
});

/**
 * Makes passes for a few minutes, until no step is left or a person has to act; returns what the last pass found. A
 * pass may fail to reach the cluster.
 */
async function passes(onTimeout: 'giveUp' | 'proceed' = 'giveUp'): Promise<string> {
  const { drain } = aNode('agent').settings.maintenance;
  const settings = { maintenance: { drain: { ...drain, timeout: '1m', onTimeout } } };
  for (let pass = 0; pass < 100; pass += 1) {
    const found = await emptiedStep(host, aNode('agent', { settings }), 'agent-to-server').catch(silent);
    if (found === undefined) {
      return 'emptied';
    }
    if (found?.state === 'Drifted') {
      await found.drift.remedy(host);
    }
    if (found?.state === 'Waiting' && found.endedBy === 'person') {
      return `${found.reason} ${found.message}`;
    }
    host.advance(5_000);
  }
  return 'never emptied';
}

function silent(thrown: unknown): null {
  expect(thrown).toMatchObject({ reason: 'ApiUnavailable' });
  return null;
}

function isCordoned(): boolean {
  return Object(api.objects.get('nodes', undefined, 'vm-1')?.spec).unschedulable === true;
}

test('a node is cordoned and emptied before it leaves', async () => {
  expect(await passes()).toBe('emptied');
  expect(podsOn(api)).toEqual([]);
  expect(isCordoned()).toBe(true);
});

test('a drain that is given up waits for a person, without a cordon, and continues when the settings change', async () => {
  putBudget(api, 'web', 'web', 1);
  expect(await passes()).toMatch(/^DrainGaveUp .*default\/web/);
  expect(isCordoned()).toBe(false);
  expect(await passes()).toMatch(/^DrainGaveUp/);
  expect(isCordoned()).toBe(false);
  expect(await passes('proceed')).toBe('emptied');
});

test.each([
  [
    'the API does not answer',
    () => {
      api.isUp = () => false;
    },
  ],
  ['the cluster does not have the Node', () => api.objects.remove('nodes', undefined, 'vm-1')],
  ['the node never joined', () => host.files.remove('/var/lib/rancher/k3s/agent/kubelet.kubeconfig')],
])('a node leaves without a drain if %s', async (_, damage) => {
  damage();
  expect(await passes()).toBe('emptied');
  expect(podsOn(api)).toEqual(['web']);
});

test.each([
  ['before its cordon', 0],
  ['after its cordon', 1],
])('a node whose cluster does not answer for half a minute is emptied all the same, %s', async (_, steps) => {
  for (let pass = 0; pass < steps; pass += 1) {
    const found = await emptiedStep(host, aNode('agent'), 'agent-to-server');
    expect(found).toMatchObject({ drift: { changes: [{ field: 'spec.unschedulable' }] } });
    await (found?.state === 'Drifted' && found.drift.remedy(host));
  }
  const until = host.now() + 30_000;
  api.isUp = () => host.now() >= until;
  expect(await passes()).toBe('emptied');
  expect(podsOn(api)).toEqual([]);
});

test('a node whose cluster is gone leaves after the time limit of the drain, and an agent that never joined at once', async () => {
  api.isUp = () => false;
  const began = host.now();
  await passes();
  expect(host.now() - began).toBeGreaterThanOrEqual(60_000);
  expect(host.now() - began).toBeLessThan(90_000);
  host.files.remove('/var/lib/rancher/k3s/agent/kubelet.kubeconfig');
  expect(await emptiedStep(host, aNode('agent'), 'agent-to-server')).toBeUndefined();
});

test('a drain waits until its time limit for an API that has stopped answering', async () => {
  putBudget(api, 'web', 'web', 1);
  const node = aNode('agent');
  for (let pass = 0; pass < 3; pass += 1) {
    const found = await emptiedStep(host, node, 'agent-to-server');
    if (found?.state === 'Drifted') {
      await found.drift.remedy(host);
    }
  }
  api.isUp = () => false;
  await expect(emptiedStep(host, node, 'agent-to-server')).rejects.toMatchObject({
    reason: 'ApiUnavailable',
  });
  host.advance(10 * 60_000);
  expect(await emptiedStep(host, node, 'agent-to-server')).toBeUndefined();
});
