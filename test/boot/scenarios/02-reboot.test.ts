import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../cluster.ts';
import { nodes, putRight, startsOf } from '../judge.ts';

/** Milliseconds: short enough to end while the hosts are off. */
const passwordLife = 20_000;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ passwordLife });
  await cluster.powerOn();
  await cluster.ready();
});

afterAll(() => cluster?.stop());

const everyNodeIsReady = { 'vm-server': 'True', 'vm-agent': 'True', 'vm-observability': 'True' };

async function comeBack(boots: number): Promise<void> {
  await cluster.ready();
  expect(nodes(cluster)).toEqual(everyNodeIsReady);
  for (const host of cluster.hosts) expect(await startsOf(host, host.k3sUnit)).toBe(boots);
}

test('after a reboot every node is Ready, with one start of K3s', async () => {
  await Promise.all(cluster.hosts.map((host) => host.reboot()));
  await comeBack(2);
});

test('after a power cut every node is Ready, with one start of K3s', async () => {
  await Promise.all(cluster.hosts.map((host) => host.crash()));
  await cluster.powerOn();
  await comeBack(3);
});

test('switched off for longer than its credentials live, every node is Ready with new ones', async () => {
  await Promise.all(cluster.hosts.map((host) => host.powerOff()));
  const old = cluster.hosts.map((host) => host.read('/etc/rancher/k3s/registries.yaml'));
  await sleep(passwordLife);
  await cluster.powerOn();
  await comeBack(4);
  for (const [index, host] of cluster.hosts.entries())
    expect(host.read('/etc/rancher/k3s/registries.yaml')).not.toBe(old[index]);
});

test('all this time Flux was bootstrapped once, and no token was fetched again', async () => {
  const done = await putRight(cluster.host('server'));
  expect(done.filter((resource) => resource.startsWith('Bootstrap/'))).toHaveLength(1);
  for (const host of cluster.hosts)
    expect((await putRight(host)).filter((resource) => resource === 'Credential/join-token')).toHaveLength(1);
});
