import { utimesSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../booted-host.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { nodes, startsOf, told } from '../judge.ts';

const configuration = '/etc/slipway/config.yaml';

let cluster: Cluster;

beforeAll(async () => {
  // The agent, which becomes a server later, must not bootstrap Flux from the same repository.
  const settings = (host: string) => (host === 'agent' ? { gitops: { engine: 'none' } } : {});
  cluster = await startCluster({ hosts: ['server', 'agent'], settings });
});

afterAll(() => cluster?.stop());

test('a node whose settings arrive a minute late reports that they are missing, and starts once they exist', async () => {
  const [server, settings] = [cluster.host('server'), cluster.host('server').read(configuration) ?? ''];
  server.remove(configuration);
  // A container has no firmware strings from which Slipway could detect Azure, so the image names the cloud.
  server.write('/usr/lib/slipway/config.d/50-image.yaml', 'cloud: azure\n');
  await cluster.powerOn();
  await told(server, 'JoinToken', 'VaultNotConfigured');
  await sleep(Math.max(0, 60_000 - (Date.now() - server.poweredOnAt)));
  expect(server.has('/etc/systemd/system/multi-user.target.wants/k3s.service')).toBe(false);
  server.write(configuration, settings);
  await cluster.ready();
  expect(await startsOf(server, 'k3s.service')).toBe(1);
});

test('another token in the vault of a live server is reported, and accepted only with consent', async () => {
  const server = cluster.host('server');
  const before = server.read('/var/lib/slipway/join-token');
  cluster.azure.vault().set('k3s-token', 'another-token-that-somebody-stored');
  utimesSync(server.path('/var/lib/slipway/join-token'), 1, 1);
  await server.reload();
  const { message } = await told(server, 'JoinToken', 'TokenChanged');
  expect(server.read('/var/lib/slipway/join-token')).toBe(before);
  expect(Object.values(nodes(cluster))).toEqual(['True', 'True']);
  consent('server', message);
  await eventually('the new token', () => server.read('/var/lib/slipway/join-token') !== before);
  await cluster.ready();
});

test('another role on a live node is reported, and accepted only with consent', async () => {
  const agent = cluster.host('agent');
  const start = await agent.k3sStart();
  const { tags } = cluster.azure.node('agent').vm;
  tags['k3s-role'] = 'server';
  delete tags['k3s-server'];
  await agent.reload();
  const { message } = await told(agent, 'Role', 'RoleChanged');
  expect(await agent.k3sStart()).toBe(start);
  consent('agent', message);
  await eventually('the other kind of node', () => agent.has('/etc/systemd/system/k3s.service'));
  await eventually('Ready', async () => (await startsOf(agent, 'k3s.service')) === 1 && agent.isReady());
});

/** Writes a settings drop-in with the consent that the message suggests. */
function consent(host: 'server' | 'agent', message: string): void {
  const [, line] = /add `(consent: .+)` to /.exec(message) ?? [];
  expect(line, message).toBeDefined();
  cluster.host(host).write('/etc/slipway/config.d/consent.yaml', `${line}\n`);
}
