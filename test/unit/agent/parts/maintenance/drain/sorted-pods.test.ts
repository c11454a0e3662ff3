import { expect, test } from 'vitest';
import { readOwnPods } from '../../../../../../src/agent/parts/maintenance/drain/pods.ts';
import { sortPods } from '../../../../../../src/agent/parts/maintenance/drain/sorted-pods.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';
import { type PodChanges, putPod } from './some-pods.ts';

const emptyDir = { volumes: [{ name: 'cache', emptyDir: {} }] };
const mirror = { annotations: { 'kubernetes.io/config.mirror': 'abc' }, owner: 'Node' };

test.each<[string, PodChanges, 'leave' | 'evict', string]>([
  ['a pod of a ReplicaSet', {}, 'leave', 'evict'],
  ['a pod of a StatefulSet', { owner: 'StatefulSet' }, 'leave', 'evict'],
  ['a pod that is not ready', { ready: false, phase: 'Pending' }, 'leave', 'evict'],
  ['a pod of a DaemonSet', { owner: 'DaemonSet' }, 'evict', 'stay'],
  ['a finished pod of a DaemonSet', { owner: 'DaemonSet', phase: 'Failed' }, 'leave', 'evict'],
  ['a pod whose owner does not control it', { owner: 'DaemonSet', isController: false }, 'evict', 'evict'],
  ['a mirror pod', mirror, 'evict', 'stay'],
  ['a finished mirror pod', { ...mirror, phase: 'Succeeded' }, 'evict', 'stay'],
  ['a pod with an emptyDir volume', emptyDir, 'leave', 'leave: it has an emptyDir volume'],
  ['a pod with an emptyDir volume', emptyDir, 'evict', 'evict'],
  ['a pod of a DaemonSet with an emptyDir volume', { ...emptyDir, owner: 'DaemonSet' }, 'leave', 'stay'],
  ['a finished pod with an emptyDir volume', { ...emptyDir, phase: 'Succeeded' }, 'leave', 'evict'],
  ['a pod without a controller', { owner: undefined }, 'leave', 'leave: it has no controller'],
  ['a pod without a controller', { owner: undefined }, 'evict', 'evict'],
  ['a finished pod without a controller', { owner: undefined, phase: 'Succeeded' }, 'leave', 'evict'],
  [
    'a pod with a volume of another kind',
    { volumes: [{ name: 'x', configMap: { name: 'x' } }] },
    'leave',
    'evict',
  ],
])('with the policy $2, the verdict of sortPods on $0 is: $3', async (_, changes, policy, expected) => {
  const host = memoryHost();
  putPod(aCluster(host), 'one', changes);
  const pods = await readOwnPods(host, aNode('agent'));
  const { toEvict, ending, left } = sortPods(pods, { emptyDir: policy, unmanaged: policy });
  const seen = [
    ...toEvict.map(() => 'evict'),
    ...ending.map(() => 'wait'),
    ...left.map(({ why }) => `leave: ${why}`),
  ];
  expect(seen.join() || 'stay').toBe(expected);
});

test('readOwnPods reads all pages, and only the pods of this node', async () => {
  const host = memoryHost();
  const api = aCluster(host);
  for (let count = 0; count < 60; count += 1) {
    putPod(api, `pod-${count}`, { namespace: count % 2 ? 'default' : 'kube-system' });
  }
  putPod(api, 'elsewhere', { node: 'vm-2' });
  const pods = await readOwnPods(host, aNode('agent'));
  expect(new Set(pods.map(({ metadata: { name } }) => name)).size).toBe(60);
  expect(pods).toHaveLength(60);
  expect(host.looks.filter((look) => look.includes('/api/v1/pods?'))).toHaveLength(3);
});
