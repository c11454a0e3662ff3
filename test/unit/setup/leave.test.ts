import { expect, test } from 'vitest';
import { leaveCluster, requireAgent } from '../../../src/setup/leave.ts';
import { kernelClock } from '../../lab/kernel-clock.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { aCluster, putNode } from '../agent/a-cluster.ts';
import { aNode } from '../agent/a-node.ts';
import { podsOn, putBudget, putPod } from '../agent/parts/maintenance/drain/some-pods.ts';
import { aHost } from './a-host.ts';

/** Returns a host whose node has joined a cluster and runs a pod, the function `leave`, and what it has printed. */
function aNodeThatLeaves() {
  const host = aHost();
  kernelClock(host);
  const api = aCluster(host);
  putNode(api, { spec: { taints: [] } });
  putPod(api, 'web', { labels: { app: 'web' } });
  host.advance(1_000);
  const out: string[] = [];
  const error: string[] = [];
  const tell = { out: (line: string) => out.push(line), error: (line: string) => error.push(line) };
  const { drain } = aNode('agent').settings.maintenance;
  const settings = { maintenance: { drain: { ...drain, timeout: '1m' } } };
  const interrupted = new AbortController();
  const leave = () => leaveCluster(host, aNode('agent', { settings }), tell, interrupted.signal);
  const isCordoned = () => Object(api.objects.get('nodes', undefined, 'vm-1')?.spec).unschedulable === true;
  const wants = (unit: string) =>
    host.files.stat(`/etc/systemd/system/multi-user.target.wants/${unit}`) !== undefined;
  return { host, api, out, error, leave, interrupted, isCordoned, wants };
}

test('a node that leaves evicts its pods before K3s stops, and neither K3s nor Slipway starts again', async () => {
  const { api, host, out, leave, wants } = aNodeThatLeaves();
  expect(await leave()).toBe(true);
  expect(podsOn(api)).toEqual([]);
  for (const unit of ['k3s.service', 'slipway.service']) {
    expect(wants(unit)).toBe(false);
    expect(host.files.stat(`/run/active/${unit}`)).toBeUndefined();
  }
  expect(out.at(-2)).toBe('vm-1 has left. On a server, remove its Node: slipway node forget vm-1');
  expect(out.at(-1)).toContain('/var/lib/rancher/k3s');
  expect(host.files.stat('/var/lib/rancher/k3s/server/token')).toBeDefined();
});

test('a node whose drain is given up stays, uncordoned, with K3s running', async () => {
  const { api, host, error, leave, isCordoned, wants } = aNodeThatLeaves();
  putBudget(api, 'web', 'web', 1);
  expect(await leave()).toBe(false);
  expect(isCordoned()).toBe(false);
  expect(wants('k3s.service')).toBe(true);
  expect(host.files.stat('/run/active/k3s.service')).toBeDefined();
  expect(error.join('\n')).toMatch(/^DrainGaveUp: .*default\/web/);
});

test('a node whose leave is interrupted during its drain stays, uncordoned, with K3s running', async () => {
  const { api, host, error, leave, interrupted, isCordoned, wants } = aNodeThatLeaves();
  putBudget(api, 'web', 'web', 1);
  const began = host.now();
  host.at(began + 10_000, () => interrupted.abort());
  expect(await leave()).toBe(false);
  expect(host.now() - began).toBe(10_000);
  expect(isCordoned()).toBe(false);
  expect(wants('k3s.service')).toBe(true);
  expect(host.files.stat('/run/active/k3s.service')).toBeDefined();
  expect(error).toEqual([
    'Interrupted: vm-1 stays in the cluster, and accepts pods again. Pods that were evicted may run on other nodes.',
  ]);
});

test.each([
  ['a server', 'server', memoryHost()],
  ['a machine that was installed as a server, even with the role agent,', 'agent', aHost()],
] as const)('%s does not leave', async (_, role, host) => {
  await expect(requireAgent(host, aNode(role))).rejects.toMatchObject({ reason: 'NodeKept' });
});

test('an agent may leave', async () => {
  await expect(requireAgent(memoryHost(), aNode('agent'))).resolves.toBeUndefined();
});
