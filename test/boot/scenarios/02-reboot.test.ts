import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../booted-host.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { changesOf, nodes, startsOf } from '../judge.ts';
import { metadataService, wireServer } from '../network.ts';
import { podNamespace, startPod } from '../pod.ts';

/**
 * The lifetime of a password in milliseconds. Passwords expire while the hosts are off, but not during a first boot on
 * a busy machine.
 */
const passwordLife = 60_000;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({
    passwordLife,
    settings: (host) => (host === 'observability' ? { network: { nat: { from: ['10.0.2.0/24'] } } } : {}),
  });
  await cluster.powerOn();
  await cluster.ready();
});

afterAll(() => cluster?.stop());

const everyNodeIsReady = { 'vm-server': 'True', 'vm-agent': 'True', 'vm-observability': 'True' };

async function comeBack(boots: number): Promise<void> {
  await cluster.ready();
  expect(nodes(cluster)).toEqual(everyNodeIsReady);
  for (const host of cluster.hosts) {
    expect(await startsOf(host, host.k3sUnit)).toBe(boots);
  }
}

test('after a reboot every node is Ready, and K3s was started once more', async () => {
  await Promise.all(cluster.hosts.map((host) => host.reboot()));
  await comeBack(2);
});

test('after a power cut every node is Ready, and K3s was started once more', async () => {
  await Promise.all(cluster.hosts.map((host) => host.crash()));
  await cluster.powerOn();
  await comeBack(3);
});

test('after an outage that outlasts the credentials every node is Ready with new credentials', async () => {
  await Promise.all(cluster.hosts.map((host) => host.powerOff()));
  const old = cluster.hosts.map((host) => host.read('/etc/rancher/k3s/registries.yaml'));
  await sleep(passwordLife);
  await cluster.powerOn();
  await comeBack(4);
  for (const [index, host] of cluster.hosts.entries()) {
    expect(host.read('/etc/rancher/k3s/registries.yaml')).not.toBe(old[index]);
  }
});

test('despite all reboots Flux was bootstrapped once, and no token was fetched again', async () => {
  const done = await changesOf(cluster.host('server'));
  expect(done.filter((resource) => resource.startsWith('Bootstrap/'))).toHaveLength(1);
  for (const host of cluster.hosts) {
    expect((await changesOf(host)).filter((resource) => resource === 'Credential/join-token')).toHaveLength(
      1,
    );
  }
});

test('pods are kept from the metadata service after a reboot, even if the daemon does not run', async () => {
  const agent = cluster.host('agent');
  await agent.ask('systemctl', 'disable', 'slipway');
  await agent.reboot();
  await eventually(
    'K3s',
    async () => (await agent.show(agent.k3sUnit, 'ActiveState')).ActiveState === 'active',
  );
  const activeSince = async (unit: string) =>
    Number((await agent.show(unit, 'ActiveEnterTimestampMonotonic')).ActiveEnterTimestampMonotonic);
  const guardedSince = await activeSince('slipway-imds-guard.service');
  expect(guardedSince).toBeGreaterThan(0);
  expect(guardedSince).toBeLessThan(await activeSince(agent.k3sUnit));

  await startPod(agent);
  const fromPod = (address: string) =>
    agent.run('nsenter', `--net=/run/netns/${podNamespace}`, ...curl, `http://${address}/`);
  expect((await fromPod(metadataService)).exitCode).not.toBe(0);
  expect((await fromPod(wireServer)).exitCode, 'the pod reaches others').toBe(0);
  expect((await agent.run(...curl, `http://${metadataService}/`)).exitCode, 'so does the host').toBe(0);
  await agent.ask('nft', 'delete', 'table', 'inet', 'slipway_imds');
  expect((await fromPod(metadataService)).exitCode, 'the rules were what kept it').toBe(0);
});

test('NAT for private hosts works without the daemon and K3s, and is restored after a restart or a flush of nftables', async () => {
  const ingress = cluster.host('observability');
  await ingress.ask('systemctl', 'disable', 'slipway', ingress.k3sUnit);
  await ingress.reboot();
  const masquerade = 'ip saddr 10.0.2.0/24 masquerade';
  const rules = async () => (await ingress.run('nft', 'list', 'table', 'ip', 'slipway_nat')).stdout;
  await eventually('NAT', async () => (await rules()).includes(masquerade));
  expect(await ingress.ask('cat', '/proc/sys/net/ipv4/ip_forward')).toBe('1');
  expect((await ingress.show('slipway.service', 'ActiveState')).ActiveState).toBe('inactive');

  await ingress.ask('systemctl', 'stop', 'slipway-nat');
  expect(await rules(), 'a stop unloads nothing').toContain(masquerade);
  await ingress.ask('systemctl', 'start', 'slipway-nat');
  await ingress.ask('systemctl', 'restart', 'nftables');
  // nftables has flushed the rules; systemd loads them again in a separate job.
  await eventually('NAT after nftables', async () => (await rules()).includes(masquerade));

  await ingress.ask('nft', 'flush', 'ruleset');
  expect(await rules()).toBe('');
  await ingress.ask('systemctl', 'start', 'slipway');
  await eventually('NAT', async () => (await rules()).includes(masquerade));
});

const curl = ['curl', '-sS', '-o', '/dev/null', '--max-time', '5'] as const;
