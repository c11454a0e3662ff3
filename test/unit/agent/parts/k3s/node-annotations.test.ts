import { describe, expect, test } from 'vitest';
import { annotate, readAnnotations } from '../../../../../src/agent/parts/k3s/node-annotations.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aCluster, apiServer, putNode } from '../../a-cluster.ts';
import { aNode } from '../../a-node.ts';

const path = '/api/v1/nodes/vm-1';

function world() {
  const host = memoryHost();
  return { host, api: aCluster(host) };
}

describe('readAnnotations', () => {
  test.each([
    ['has none', undefined, {}],
    [
      'has those of other programs',
      { 'slipway.dev/role': 'agent', 'slipway.dev/other': 'x', 'k3s.io/hostname': 'vm-1' },
      { 'slipway.dev/role': 'agent' },
    ],
  ])('returns only the annotations by Slipway if the Node %s', async (_, annotations, expected) => {
    const { host, api } = world();
    putNode(api, { metadata: { name: 'vm-1', ...(annotations && { annotations }) } });
    expect(await readAnnotations(host, aNode('server'))).toEqual(expected);
  });

  test('throws NodeNotFound if the cluster does not have the Node', async () => {
    const { host } = world();
    await expect(readAnnotations(host, aNode('agent'))).rejects.toMatchObject({ reason: 'NodeNotFound' });
  });

  test.each([
    ['does not answer', new Error('refused'), 'refused'],
    ['answers with null', 'null', 'the whole is of another kind'],
    ['answers with nothing', '', 'it is not JSON'],
  ])('throws if the API %s', async (_, answer, message) => {
    const { host } = world();
    host.onGet(`${apiServer}${path}`, answer);
    await expect(readAnnotations(host, aNode('agent'))).rejects.toThrow(message);
  });
});

test.each(['server', 'agent'] as const)(
  'annotate writes all annotations of a %s with one request as kubelet, and keeps those of other programs',
  async (role) => {
    const { host, api } = world();
    putNode(api, { metadata: { name: 'vm-1', annotations: { 'k3s.io/hostname': 'vm-1' } } });
    await annotate(host, aNode(role), { 'slipway.dev/role': 'agent', 'slipway.dev/failing': '' });
    expect(api.objects.get('nodes', undefined, 'vm-1')?.metadata.annotations).toEqual({
      'k3s.io/hostname': 'vm-1',
      'slipway.dev/role': 'agent',
      'slipway.dev/failing': '',
    });
    expect(host.lines()).toHaveLength(1);
  },
);
