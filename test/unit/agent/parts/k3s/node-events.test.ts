import { expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { createEvents, type NodeEvent } from '../../../../../src/agent/parts/k3s/node-events.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aCluster, apiServer } from '../../a-cluster.ts';
import { aNode } from '../../a-node.ts';

const denied: NodeEvent = {
  about: 'Registries',
  type: 'Warning',
  reason: 'PullDenied',
  message: 'Registries: no',
};

function world() {
  const host = memoryHost();
  const api = aCluster(host);
  return { host, reasons: () => api.objects.list('events').map(({ reason }) => reason), api };
}

test.each(['agent', 'server'] as const)(
  'createEvents creates an event about a node with the role %s',
  async (role) => {
    const { host, api } = world();
    await createEvents(host, aNode(role), [denied], host.now());
    const [{ metadata, ...event } = { metadata: { name: '' } }] = api.objects.list('events', 'default');
    expect(metadata).toMatchObject({ name: expect.stringMatching(/^vm-1\.\w{5}$/), namespace: 'default' });
    expect(event).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'vm-1', uid: 'vm-1' },
      type: 'Warning',
      reason: 'PullDenied',
      message: 'Registries: no',
      source: { component: 'slipway', host: 'vm-1' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
    });
  },
);

test('createEvents truncates a message that the API would refuse', async () => {
  const { host, api } = world();
  await createEvents(host, aNode('agent'), [{ ...denied, message: 'x'.repeat(3_000) }], host.now());
  expect(api.objects.list('events')[0]?.message).toHaveLength(1_024);
});

test('createEvents creates the other events if the API refuses one, and then throws its error', async () => {
  const { host, reasons } = world();
  const refused = { ...denied, reason: 'no reason of the API' };
  const events = [refused, denied];
  await expect(createEvents(host, aNode('agent'), events, host.now())).rejects.toMatchObject({
    reason: 'ApiRejected',
    message: expect.stringContaining('reason: Invalid value'),
  });
  expect(reasons()).toEqual(['PullDenied']);
});

test('createEvents sends only one request if the API does not answer, so that it waits only once', async () => {
  const { host } = world();
  let asked = 0;
  host.onRequest({ url: (url) => url.startsWith(apiServer) }, () => {
    asked += 1;
    return new NodeError('TimedOut', 'no answer within 10 s');
  });
  await expect(createEvents(host, aNode('agent'), [denied, denied], host.now())).rejects.toMatchObject({
    reason: 'ApiUnavailable',
  });
  expect(asked).toBe(1);
});
