import { expect, test } from 'vitest';
import { vmIdShown } from '../../../../../../src/agent/parts/maintenance/nodes/vm-id.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode, settle } from '../../../a-node.ts';

const key = 'slipway.dev/vm-id';

function world(annotations: Readonly<Record<string, string>> = {}) {
  const host = memoryHost();
  const api = aCluster(host);
  putNode(api, { metadata: { name: 'vm-1', annotations } });
  const shown = () => Object(api.objects.get('nodes', undefined, 'vm-1')?.metadata.annotations)[key];
  return { host, shown };
}

test.each([
  ['a new Node', {}],
  ['the Node of an earlier VM', { [key]: 'vm-of-yesterday' }],
])('the id of the VM is written to %s', async (_, annotations) => {
  const { host, shown } = world(annotations);
  expect(await settle(vmIdShown(aNode('agent', { vmId: '1234-abcd' }), []), host)).toEqual([
    `Drifted (non-blocking) ${key}`,
    'InSync',
  ]);
  expect(shown()).toBe('1234-abcd');
});

test('an id with control characters, or one that is too long, is made safe', async () => {
  const { host, shown } = world();
  await settle(vmIdShown(aNode('agent', { vmId: `a\u001b\n${'b'.repeat(500)}` }), []), host);
  expect(shown()).toMatch(/^a\\u001b\\nb+$/);
  expect(shown()).toHaveLength(200);
});

test('nothing is written while the id of the VM is unknown', async () => {
  const { host, shown } = world();
  expect(await settle(vmIdShown(aNode('agent'), []), host)).toEqual(['InSync']);
  expect(shown()).toBeUndefined();
});
