import { expect, test } from 'vitest';
import type { K3sNode } from '../../../../../../src/agent/node.ts';
import {
  emptyLedger,
  ledgerKey,
  ledgerText,
  withSlot,
} from '../../../../../../src/agent/parts/maintenance/turn/ledger.ts';
import { rotationKey } from '../../../../../../src/agent/parts/maintenance/turn/notice-text.ts';
import { rotationNotice } from '../../../../../../src/agent/parts/maintenance/turn/rotation-notice.ts';
import type { MemoryApi } from '../../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';
import { aSlot } from './a-fleet.ts';

const rotation = { from: '0123456789ab', to: 'ba9876543210' };
const lease = ['leases.coordination.k8s.io', 'kube-system', 'slipway-turns'] as const;

interface World {
  readonly host: MemoryHost;
  readonly api: MemoryApi;
  readonly node: K3sNode;
}

function world(): World {
  const host = memoryHost();
  const api = aCluster(host);
  putServer(api, 'vm-1');
  putServer(api, 'server-2');
  return { host, api, node: aNode('server') };
}

function putServer(
  { objects }: MemoryApi,
  name: string,
  { ready = 'True', isServer = true, failing = '' } = {},
): void {
  const annotations = { 'slipway.dev/failing': failing };
  objects.put('nodes', undefined, {
    ...{ apiVersion: 'v1', kind: 'Node' },
    metadata: {
      ...{ name, annotations },
      ...(isServer && { labels: { 'node-role.kubernetes.io/control-plane': 'true' } }),
    },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  });
}

/** Shows a rotation by `server-2`, and returns that server's world. */
async function otherRotates(made: World, to = '111111111111'): Promise<World> {
  const other = { ...made, node: { ...made.node, name: 'server-2' } };
  await show(other, { ...rotation, to });
  return other;
}

function annotations({ api }: World): Record<string, string> {
  return Object(api.objects.get(...lease)?.metadata.annotations);
}

/** Carries out the next step that shows a rotation in the Lease; returns the state of the finding. */
async function show({ host, node }: World, wanted = rotation): Promise<string | undefined> {
  const found = await rotationNotice.shown(host, node, wanted);
  if (found?.state === 'Drifted') {
    await found.drift.remedy(host);
  }
  return found?.state;
}

test('rotationNotice shows the rotation in the Lease once, and keeps the other annotations', async () => {
  const made = world();
  made.api.objects.put('leases.coordination.k8s.io', 'kube-system', {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: {
      name: 'slipway-turns',
      namespace: 'kube-system',
      annotations: { 'slipway.dev/ledger': '{}' },
    },
    spec: { holderIdentity: 'server-1' },
  });
  expect([await show(made), await show(made)]).toEqual(['Drifted', undefined]);
  expect(JSON.parse(annotations(made)[rotationKey] ?? '')).toEqual({ node: made.node.name, ...rotation });
  expect(annotations(made)['slipway.dev/ledger']).toBe('{}');
  expect(made.api.objects.get(...lease)?.spec).toMatchObject({ holderIdentity: 'server-1' });
});

test('rotationNotice creates the Lease if it is missing, and can remove its notice', async () => {
  const made = world();
  expect(await show(made)).toBe('Drifted');
  await rotationNotice.remove(made.host, made.node);
  expect(annotations(made)[rotationKey]).toBe('');
  expect(await show(made)).toBe('Drifted');
});

test.each([
  ['another token', '111111111111'],
  ['the same token', rotation.to],
])(
  "rotationNotice waits while another server rotates to %s, and keeps that server's notice",
  async (_, to) => {
    const made = world();
    const other = await otherRotates(made, to);
    expect(await rotationNotice.shown(made.host, made.node, rotation)).toMatchObject({
      state: 'Waiting',
      reason: 'TurnAwaited',
      isExpected: true,
      blocks: false,
    });
    await rotationNotice.remove(made.host, made.node);
    expect(annotations(made)[rotationKey]).toContain('server-2');
    await rotationNotice.remove(other.host, other.node);
    expect(await show(made)).toBe('Drifted');
  },
);

test.each(['False', 'Unknown'])(
  'rotationNotice reports a failure with the way out while the Ready condition of the server that rotates is %s',
  async (ready) => {
    const made = world();
    await otherRotates(made);
    putServer(made.api, 'server-2', { ready });
    expect(await rotationNotice.shown(made.host, made.node, rotation)).toEqual({
      state: 'Waiting',
      reason: 'TokenRotationFailed',
      message: expect.stringMatching(/server-2 is not Ready.* kubectl delete node server-2\.$/),
      blocks: false,
      after: 30_000,
    });
  },
);

test.each([
  ['is gone', ({ api }: World) => api.objects.remove('nodes', undefined, 'server-2')],
  ['is an agent', ({ api }: World) => putServer(api, 'server-2', { isServer: false })],
])('rotationNotice replaces the notice of another server whose Node %s', async (_, change) => {
  const made = world();
  await otherRotates(made);
  change(made);
  expect(await show(made)).toBe('Drifted');
  expect(JSON.parse(annotations(made)[rotationKey] ?? '')).toEqual({ node: 'vm-1', ...rotation });
});

test('rotationNotice does not write if another writer has changed the Lease meanwhile', async () => {
  const made = world();
  await show(made);
  const found = await rotationNotice.shown(made.host, made.node, { ...rotation, to: '111111111111' });
  const lived = made.api.objects.get(...lease);
  if (found?.state !== 'Drifted' || lived === undefined) {
    throw new Error('no step');
  }
  made.api.objects.put('leases.coordination.k8s.io', 'kube-system', lived);
  await expect(found.drift.remedy(made.host)).rejects.toMatchObject({ reason: 'ApiConflict' });
});

test('rotationNotice names its change, and replaces its own notice of a rotation from another token', async () => {
  const made = world();
  expect(await rotationNotice.shown(made.host, made.node, rotation)).toMatchObject({
    drift: { changes: [{ field: rotationKey, observed: undefined, desired: rotation.to }] },
  });
  await show(made, { ...rotation, from: '999999999999' });
  expect([await show(made), await show(made)]).toEqual(['Drifted', undefined]);
  expect(JSON.parse(annotations(made)[rotationKey] ?? '')).toMatchObject(rotation);
});

test('rotationNotice reads a Lease without annotations, and removes nothing without a notice', async () => {
  const made = world();
  await rotationNotice.remove(made.host, made.node);
  expect(made.host.mutations).toBe(0);
  made.api.objects.put('leases.coordination.k8s.io', 'kube-system', {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: { name: 'slipway-turns', namespace: 'kube-system' },
  });
  await rotationNotice.remove(made.host, made.node);
  expect(made.host.mutations).toBe(0);
  expect(await show(made)).toBe('Drifted');
});

/** The notice of another server, with spaces up to a length. */
function noticeOf(length: number, to = rotation.to): string {
  return JSON.stringify({ node: 'server-2', ...rotation, to }).padEnd(length);
}

test('rotationNotice reads a notice of up to a thousand characters', async () => {
  const made = world();
  await otherRotates(made);
  const lived = made.api.objects.get(...lease);
  const metadata = {
    ...lived?.metadata,
    name: 'slipway-turns',
    annotations: { [rotationKey]: noticeOf(1_000) },
  };
  made.api.objects.put('leases.coordination.k8s.io', 'kube-system', { ...Object(lived), metadata });
  expect(await show(made)).toBe('Waiting');
});

test.each([
  ...['', 'x', '{"node":""}', noticeOf(1_001)],
  ...[noticeOf(0, 'x0123456789ab'), noticeOf(0, '0123456789abx')],
])('rotationNotice replaces a damaged notice: %.90s', async (text) => {
  const made = world();
  await show(made);
  const lived = made.api.objects.get(...lease);
  if (lived === undefined) {
    throw new Error('no Lease');
  }
  const metadata = { ...lived.metadata, annotations: { [rotationKey]: text } };
  made.api.objects.put('leases.coordination.k8s.io', 'kube-system', { ...lived, metadata });
  expect(await show(made)).toBe('Drifted');
  expect(JSON.parse(annotations(made)[rotationKey] ?? '')).toMatchObject(rotation);
});

/** The world of one of several servers. */
function severalServers(): World {
  return { ...world(), node: aNode('server', { settings: { k3s: { datastore: 'etcd' } } }) };
}

function noticeOfLease(made: World): unknown {
  return JSON.parse(annotations(made)[rotationKey] ?? '');
}

test('with several servers, rotationNotice takes over the same rotation of another server, even of a lost one', async () => {
  const made = severalServers();
  await otherRotates(made, rotation.to);
  putServer(made.api, 'server-2', { ready: 'Unknown' });
  expect([await show(made), await show(made)]).toEqual(['Drifted', undefined]);
  expect(noticeOfLease(made)).toEqual({ node: 'vm-1', ...rotation });
});

test('with several servers, rotationNotice waits while another server rotates to another token', async () => {
  const made = severalServers();
  await otherRotates(made, '111111111111');
  expect(await show(made)).toBe('Waiting');
});

test.each(['server-2', 'vm-1'])(
  'with several servers, rotationNotice keeps a notice of %s that the datastore has the new token',
  async (name) => {
    const made = severalServers();
    const shower = { ...made, node: { ...made.node, name } };
    await show(shower);
    expect(await rotationNotice.read(made.host, made.node)).toEqual({
      ...{ node: name, ...rotation, isStored: false },
    });
    await rotationNotice.store(made.host, made.node, { ...rotation, to: '111111111111' });
    expect(noticeOfLease(made)).toEqual({ node: name, ...rotation });
    await rotationNotice.store(made.host, made.node, rotation);
    expect(noticeOfLease(made)).toEqual({ node: name, ...rotation, stored: true });
    expect(await rotationNotice.read(made.host, made.node)).toMatchObject({ isStored: true });
    expect(
      await rotationNotice.shown(made.host, made.node, { ...rotation, to: '111111111111' }),
    ).toMatchObject({
      ...{ state: 'Waiting', reason: 'TurnAwaited', isExpected: true, blocks: false },
    });
  },
);

test('with several servers, rotationNotice begins no rotation while a server does not serve', async () => {
  const made = severalServers();
  putServer(made.api, 'server-2', { ready: 'False' });
  expect(await rotationNotice.shown(made.host, made.node, rotation)).toMatchObject({
    ...{ state: 'Waiting', reason: 'TurnAwaited', isExpected: true, blocks: false },
    message: expect.stringContaining('server-2 does not serve'),
  });
  putServer(made.api, 'server-2');
  expect(await show(made)).toBe('Drifted');
});

test('with several servers, rotationNotice begins no rotation while a server is in its turn', async () => {
  const made = severalServers();
  made.api.objects.put('leases.coordination.k8s.io', 'kube-system', {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: {
      name: 'slipway-turns',
      namespace: 'kube-system',
      annotations: { [ledgerKey]: ledgerText(withSlot(emptyLedger, aSlot('server-2'))) },
    },
  });
  expect(await rotationNotice.shown(made.host, made.node, rotation)).toMatchObject({
    ...{ state: 'Waiting', reason: 'TurnAwaited' },
    message: expect.stringContaining('server-2 is in its turn'),
  });
});

test('with several servers, rotationNotice begins no rotation while another unit has started K3s on one, and states the way out', async () => {
  const made = severalServers();
  putServer(made.api, 'server-2', { failing: 'Pulls=UnitAdopted,K3sRunning=UnitAdopted' });
  expect(await rotationNotice.shown(made.host, made.node, rotation)).toMatchObject({
    ...{ state: 'Waiting', reason: 'UnitAdopted', endedBy: 'person', blocks: false, after: 30_000 },
    message: expect.stringMatching(/on server-2, another unit.*systemctl restart k3s\.service/),
  });
  putServer(made.api, 'server-2', { failing: 'K3sRunning=ServiceStarting' });
  expect(await show(made)).toBe('Drifted');
});

test.each([
  ['an agent whose K3s another unit has started', { isServer: false, failing: 'K3sRunning=UnitAdopted' }],
  ['a server whose configuration another program keeps', { failing: 'K3sConfig=UnitAdopted' }],
])('with several servers, rotationNotice begins a rotation despite %s', async (_, fields) => {
  const made = severalServers();
  putServer(made.api, 'server-2', fields);
  expect(await show(made)).toBe('Drifted');
});
