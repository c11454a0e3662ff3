import { expect, test } from 'vitest';
import { readOwnNode } from '../../../../../src/agent/parts/k3s/own-node.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aCluster, apiServer, putNode } from '../../a-cluster.ts';
import { aNode } from '../../a-node.ts';

test('readOwnNode returns undefined if the cluster does not have the Node', async () => {
  const host = memoryHost();
  aCluster(host);
  expect(await readOwnNode(host, aNode('agent'))).toBeUndefined();
});

test.each(['server', 'agent'] as const)(
  'readOwnNode returns the Node of the role %s with the version that a compare-and-swap needs',
  async (role) => {
    const host = memoryHost();
    const fields = {
      spec: { unschedulable: true, taints: [{ key: 'gpu', effect: 'NoSchedule' }] },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        nodeInfo: { kubeletVersion: 'v1.36.3+k3s1' },
      },
    };
    const annotations = { 'slipway.dev/hold': 'yes' };
    const stored = putNode(aCluster(host), { ...fields, metadata: { name: 'vm-1', annotations } });
    const { uid, resourceVersion } = stored.metadata;
    expect(await readOwnNode(host, aNode(role))).toMatchObject({
      ...fields,
      metadata: { uid, resourceVersion, annotations },
    });
  },
);

test('readOwnNode asks for the newest state, not for one that the API has cached', async () => {
  const host = memoryHost();
  aCluster(host);
  await readOwnNode(host, aNode('agent'));
  expect(host.looks).toEqual([`${apiServer}/api/v1/nodes/vm-1`]);
});
