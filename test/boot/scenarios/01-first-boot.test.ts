import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../cluster.ts';
import { k3sStarts, nodes } from '../judge.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ from: 'cloud-init', unprepared: true });
  await cluster.powerOn();
  await sleep(30_000);
  cluster.prepare();
  await cluster.ready();
});

afterAll(() => cluster?.stop());

test('three VMs become a cluster, with the vault and the roles 30 s late', () => {
  expect(nodes(cluster)).toEqual({ 'vm-server': 'True', 'vm-agent': 'True', 'vm-observability': 'True' });
});

test('K3s was started once on each, and GitOps bootstrapped once', async () => {
  for (const host of cluster.hosts) expect(await k3sStarts(host)).toBe(1);
  const bootstraps = cluster.azure.requests.filter(({ path }) => path.includes('fluxcd/flux2'));
  expect(bootstraps.length).toBeGreaterThan(0);
});
