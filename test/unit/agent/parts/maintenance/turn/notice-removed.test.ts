import { expect, test } from 'vitest';
import { noticeRemoved } from '../../../../../../src/agent/parts/maintenance/turn/notice-removed.ts';
import { rotationKey } from '../../../../../../src/agent/parts/maintenance/turn/rotation-notice.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';

const record = '/var/lib/slipway/token-rotation.json';
const digests = { from: '0123456789ab', to: 'ba9876543210' };

/** A server in whose cluster the Lease shows a rotation by `shows`, and whose own rotation has a state. */
function world(shows: string, state: string | undefined) {
  const host = memoryHost();
  const api = aCluster(host);
  putNode(api, { metadata: { name: 'vm-1', labels: { 'node-role.kubernetes.io/control-plane': 'true' } } });
  api.objects.put('leases.coordination.k8s.io', 'kube-system', {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: {
      name: 'slipway-turns',
      namespace: 'kube-system',
      annotations: { [rotationKey]: JSON.stringify({ node: shows, ...digests }) },
    },
  });
  if (state !== undefined) {
    host.files.write(record, JSON.stringify({ format: 1, state, ...digests }), 0o600);
  }
  const notice = () =>
    Object(
      api.objects.get('leases.coordination.k8s.io', 'kube-system', 'slipway-turns')?.metadata.annotations,
    )[rotationKey];
  return { host, api, notice, removed: noticeRemoved(aNode('server')) };
}

test.each([undefined, 'done'])(
  'noticeRemoved removes the notice of this server if the state of its rotation is %s',
  async (state) => {
    const { host, removed, notice } = world('vm-1', state);
    expect(await settle(removed, host)).toEqual([`Drifted (non-blocking) ${rotationKey}`, 'InSync']);
    expect(notice()).toBe('');
  },
);

test.each(['wanted', 'begun', 'rotated'])(
  'noticeRemoved keeps the notice of this server while the state of its rotation is %s',
  async (state) => {
    const { host, removed } = world('vm-1', state);
    expect(await settle(removed, host)).toEqual(['InSync']);
  },
);

test('noticeRemoved stays out of its condition while it has nothing to do', () => {
  expect(noticeRemoved(aNode('server'))).toMatchObject({ condition: 'Turns', isQuiet: true });
});

test('noticeRemoved keeps the notice of another server', async () => {
  const { host, removed, notice } = world('server-2', undefined);
  expect(await settle(removed, host)).toEqual(['InSync']);
  expect(notice()).toContain('server-2');
});

test('noticeRemoved does nothing before the first start of K3s, or while the API does not answer', async () => {
  expect(await outcome(noticeRemoved(aNode('server')), memoryHost())).toBe('InSync');
  const { host, api, removed } = world('vm-1', undefined);
  api.isUp = () => false;
  expect(await outcome(removed, host)).toBe('InSync');
});
