import { describe, expect, test } from 'vitest';
import { actingLease } from '../../../../../../src/agent/acting.ts';
import { forgetTurns } from '../../../../../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import type { MemoryApi } from '../../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import type { ApiObject } from '../../../../../lab/standins/k3s-objects.ts';
import { aCluster } from '../../../a-cluster.ts';

const turn = {
  'slipway.dev/turn-request': '{}',
  'slipway.dev/turn-grant': '{}',
  'slipway.dev/turn-state': 'damaged',
  'slipway.dev/turn-stopped': '[]',
};
const cordon = { 'slipway.dev/cordon': '{"why":"upgrade","since":"2026-11-30T11:00:00Z"}' };
const own = { 'slipway.dev/hold': 'a person', 'example.com/other': 'kept' };

function world(): { readonly host: MemoryHost; readonly api: MemoryApi } {
  const host = memoryHost({ now: Date.UTC(2026, 10, 30, 12) });
  return { host, api: aCluster(host) };
}

function put({ objects }: MemoryApi, name: string, annotations: object, unschedulable?: true): void {
  const metadata = { name, annotations: { ...own, ...annotations } };
  const spec = { podCIDR: '10.42.0.0/24', ...(unschedulable && { unschedulable }) };
  objects.put('nodes', undefined, { apiVersion: 'v1', kind: 'Node', metadata, spec });
}

function lease({ objects }: MemoryApi, name: string): void {
  const metadata = { name, namespace: 'kube-system', annotations: { 'slipway.dev/token-rotation': '{}' } };
  objects.put('leases.coordination.k8s.io', 'kube-system', {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata,
    spec: { holderIdentity: 'vm-9' },
  });
}

function found({ objects }: MemoryApi, name: string): ApiObject | undefined {
  return objects.get('nodes', undefined, name);
}

function forget(host: MemoryHost): Promise<readonly string[]> {
  return forgetTurns(host, nodePaths('/'));
}

describe('what a restored cluster says about turns', () => {
  test('is removed, with the Leases and the cordons of Slipway', async () => {
    const { host, api } = world();
    put(api, 'vm-1', { ...turn, ...cordon }, true);
    put(api, 'vm-2', turn);
    put(api, 'vm-3', {}, true);
    for (const name of ['slipway-turns', actingLease.name, 'k3s']) {
      lease(api, name);
    }
    expect(await forget(host)).toEqual(['vm-1', 'vm-2']);
    for (const name of ['vm-1', 'vm-2', 'vm-3']) {
      expect(found(api, name)?.metadata.annotations).toEqual(own);
    }
    expect(found(api, 'vm-1')?.spec).toEqual({ podCIDR: '10.42.0.0/24' });
    expect(found(api, 'vm-3')?.spec).toMatchObject({ unschedulable: true });
    const leases = ['slipway-turns', actingLease.name, 'k3s'].map((name) =>
      api.objects.get('leases.coordination.k8s.io', 'kube-system', name),
    );
    expect(leases.map((each) => each !== undefined)).toEqual([false, false, true]);
  });

  test('keeps the cordon of a person who took it over, and removes the mark', async () => {
    const { host, api } = world();
    const metadata = {
      name: 'vm-1',
      annotations: cordon,
      managedFields: [{ manager: 'kubectl', fieldsV1: { 'f:spec': { 'f:unschedulable': {} } } }],
    };
    api.objects.put('nodes', undefined, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata,
      spec: { unschedulable: true },
    });
    await forget(host);
    expect(found(api, 'vm-1')).toMatchObject({ spec: { unschedulable: true } });
    expect(found(api, 'vm-1')?.metadata.annotations).not.toHaveProperty('slipway.dev/cordon');
  });

  test('is removed once: a second call changes nothing', async () => {
    const { host, api } = world();
    put(api, 'vm-1', { ...turn, ...cordon }, true);
    await forget(host);
    const before = JSON.stringify(found(api, 'vm-1'));
    expect(await forget(host)).toEqual([]);
    expect(JSON.stringify(found(api, 'vm-1'))).toBe(before);
  });
});
