import { describe, expect, test } from 'vitest';
import { shortDigest } from '../../../../../../src/agent/engine/digest.ts';
import { tokenKey } from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';
import { noticeRemoved } from '../../../../../../src/agent/parts/maintenance/turn/notice-removed.ts';
import { rotationKey } from '../../../../../../src/agent/parts/maintenance/turn/notice-text.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { aServer } from '../../k3s/datastore/a-datastore.ts';

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

describe('with several servers, after the datastore got the new token, noticeRemoved', () => {
  const several = aNode('server', { settings: { k3s: { datastore: 'etcd' } } });

  function server(name: string, state: 'file' | 'started' | undefined, ready = 'True') {
    const token = { [tokenKey]: JSON.stringify({ to: digests.to, state }) };
    const labels = { 'node-role.kubernetes.io/control-plane': 'true' };
    return {
      ...{ apiVersion: 'v1', kind: 'Node' },
      metadata: { name, labels, annotations: state === undefined ? {} : token },
      status: { conditions: [{ type: 'Ready', status: ready }] },
    };
  }

  function stored(second: ReturnType<typeof server>) {
    const made = world('vm-1', 'done');
    made.api.objects.put('leases.coordination.k8s.io', 'kube-system', {
      ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
      metadata: {
        name: 'slipway-turns',
        namespace: 'kube-system',
        annotations: { [rotationKey]: JSON.stringify({ node: 'vm-1', ...digests, stored: true }) },
      },
    });
    made.api.objects.put('nodes', undefined, server('vm-1', 'started'));
    made.api.objects.put('nodes', undefined, second);
    return made;
  }

  test.each([
    ['has not got it', server('server-2', undefined)],
    ['has it only in its file', server('server-2', 'file')],
  ])('keeps the notice while a Ready server %s', async (_, second) => {
    const { host, notice } = stored(second);
    expect(await settle(noticeRemoved(several), host)).toEqual(['InSync']);
    expect(notice()).toContain('stored');
  });

  test.each([
    ['all servers have started with it', server('server-2', 'started')],
    ['only a server that is away has not started with it', server('server-2', undefined, 'Unknown')],
  ])('removes the notice once %s', async (_, second) => {
    const { host, notice } = stored(second);
    expect(await settle(noticeRemoved(several), host)).toEqual([
      `Drifted (non-blocking) ${rotationKey}`,
      'InSync',
    ]);
    expect(notice()).toBe('');
  });

  test.each([
    ['marlin', 'stores'],
    ['swordfish', 'removes'],
  ])(
    'judges an ended rotation of this server whose notice is not stored: with the token %s, it %s it',
    async (file, what) => {
      const { host } = aServer();
      const api = aCluster(host);
      putNode(api, {
        metadata: { name: 'vm-1', labels: { 'node-role.kubernetes.io/control-plane': 'true' } },
      });
      const to = shortDigest('marlin');
      api.objects.put('leases.coordination.k8s.io', 'kube-system', {
        ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
        metadata: {
          name: 'slipway-turns',
          namespace: 'kube-system',
          annotations: { [rotationKey]: JSON.stringify({ node: 'vm-1', from: digests.from, to }) },
        },
      });
      host.files.write('/var/lib/slipway/join-token', `${file}\n`, 0o600);
      await settle(noticeRemoved(several), host);
      const lease = api.objects.get('leases.coordination.k8s.io', 'kube-system', 'slipway-turns');
      const notice = Object(lease?.metadata.annotations)[rotationKey];
      expect(notice === '' ? 'removes' : JSON.parse(notice).stored && 'stores').toBe(what);
    },
  );
});
