import { describe, expect, test } from 'vitest';
import { shortDigest } from '../../../../../../src/agent/engine/digest.ts';
import type { Resource } from '../../../../../../src/agent/engine/resource.ts';
import { tokenKey } from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';
import { rotationKey } from '../../../../../../src/agent/parts/maintenance/turn/notice-text.ts';
import { tokenShown } from '../../../../../../src/agent/parts/maintenance/turn/token-shown.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode, settle } from '../../../a-node.ts';
import { aServer } from '../../k3s/datastore/a-datastore.ts';

const [from, to] = [shortDigest('swordfish'), shortDigest('marlin')];
const several = aNode('server', { settings: { k3s: { datastore: 'etcd' } } });

/** A server whose cluster rotates its token, whose token file has a password, and whose rotation has a state. */
function world({ file = 'marlin', record = {}, shows = '', isRotating = true } = {}) {
  const { host, unit } = aServer();
  const api = aCluster(host);
  putNode(api, { metadata: { name: 'vm-1', annotations: { ...(shows && { [tokenKey]: shows }) } } });
  const notice = JSON.stringify({ node: 'server-2', from, to, stored: true });
  api.objects.put('leases.coordination.k8s.io', 'kube-system', {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: {
      name: 'slipway-turns',
      namespace: 'kube-system',
      annotations: { [rotationKey]: isRotating ? notice : '' },
    },
  });
  host.files.write('/var/lib/slipway/join-token', `${file}\n`, 0o600);
  host.files.write(
    '/var/lib/slipway/token-rotation.json',
    JSON.stringify({ format: 1, from, to, ...record }),
  );
  const shown = () => Object(api.objects.get('nodes', undefined, 'vm-1')?.metadata.annotations)[tokenKey];
  return { host, unit, shown };
}

function resource(): Resource {
  const [found] = tokenShown(several, []);
  if (found === undefined) {
    throw new Error('no Resource');
  }
  return found;
}

test('tokenShown plans nothing on an agent and on the only server of a cluster', () => {
  expect([tokenShown(aNode('agent'), []), tokenShown(aNode('server'), [])]).toEqual([[], []]);
});

describe('tokenShown', () => {
  test.each([
    ['the next start of K3s uses the new token', { state: 'rotated', invocation: 'start-1' }, 'file'],
    ['K3s has stored the new token in this server', { state: 'begun' }, 'file'],
    ['K3s has started with the new token', { state: 'rotated', invocation: 'start-0' }, 'started'],
    ['the rotation has ended', { state: 'done' }, 'started'],
  ])('shows on the Node that %s', async (_, record, state) => {
    const { host, shown } = world({ record });
    expect(await settle(resource(), host)).toEqual([`Drifted (non-blocking) ${tokenKey}`, 'InSync']);
    expect(JSON.parse(shown())).toEqual({ to, state });
  });

  test('shows nothing while the token file has the old token', async () => {
    const { host, shown } = world({ file: 'swordfish', record: { state: 'done' } });
    expect(await settle(resource(), host)).toEqual(['InSync']);
    expect(shown()).toBeUndefined();
  });

  test('removes the annotation after the rotation', async () => {
    const { host, shown } = world({ shows: '{}', isRotating: false, record: { state: 'done' } });
    await settle(resource(), host);
    expect(shown()).toBeUndefined();
  });
});
