import { expect, test } from 'vitest';
import { createEvents, type NodeEvent } from '../../../../../src/agent/parts/k3s/node-events.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

const file = '/run/slipway/events.json';
const denied: NodeEvent = {
  about: 'Registries',
  type: 'Warning',
  reason: 'PullDenied',
  message: 'Registries: no',
};
const args = [
  ...['kubectl', '--kubeconfig', '/var/lib/rancher/k3s/agent/kubelet.kubeconfig'],
  ...['--request-timeout=10s', '--cache-dir=/dev/null', 'create', '--validate=ignore', '-f', file],
];

test.each(['agent', 'server'] as const)(
  'createEvents creates all events with one command, and truncates long messages, on a node with the role %s',
  async (role) => {
    let list = '';
    const host = memoryHost().on({ file: '/usr/local/bin/k3s', args }, (_, world) => {
      expect(world.files.stat(file)?.mode).toBe(0o600);
      list = world.files.text(file) ?? '';
      return '';
    });
    await createEvents(host, aNode(role), [denied, { ...denied, message: 'x'.repeat(3_000) }], host.now());
    const [first, second] = JSON.parse(list).items;
    expect(first).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { generateName: 'vm-1.', namespace: 'default' },
      involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'vm-1', uid: 'vm-1' },
      type: 'Warning',
      reason: 'PullDenied',
      message: 'Registries: no',
      source: { component: 'slipway', host: 'vm-1' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
    });
    expect(second.message).toHaveLength(1_024);
    expect(host.files.stat(file)).toBeUndefined();
  },
);

test('createEvents removes its file even if the API refuses the events', async () => {
  const host = memoryHost().on({ file: 'k3s', args }, { exitCode: 1, stderr: 'Forbidden' });
  await expect(createEvents(host, aNode('agent'), [denied], host.now())).rejects.toThrow('Forbidden');
  expect(host.files.stat(file)).toBeUndefined();
});
