import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BootedHost, eventually } from '../booted-host.ts';
import { type Cluster, type HostName, startCluster } from '../cluster.ts';
import { nodes, startsOf, told } from '../judge.ts';

let cluster: Cluster;
let server: BootedHost<HostName>;
let agent: BootedHost<HostName>;

beforeAll(async () => {
  cluster = await startCluster({ hosts: ['server', 'agent'] });
  [server, agent] = [cluster.host('server'), cluster.host('agent')];
  await cluster.powerOn();
  await cluster.ready();
});

afterAll(() => cluster?.stop());

test('an agent that is cut off from its server reports ServerUnreachable, keeps running, and recovers without help', async () => {
  const k3sStart = await agent.k3sStart();
  cluster.network.connect(agent.address, server.address, false);
  await agent.reload();
  const { message } = await told(agent, 'ServerReachable', 'ServerUnreachable');
  expect(message).toContain(`https://${server.address}:6443`);
  await told(agent, 'NodeReady', 'ApiUnavailable');
  expect(agent.condition('K3sRunning')).toMatchObject({ status: 'True', reason: 'InSync' });
  expect(server.isReady(), 'the server needs no agent').toBe(true);
  cluster.network.connect(agent.address, server.address, true);
  await isReadyAfter(Date.now());
  expect(await agent.k3sStart(), 'K3s goes on').toBe(k3sStart);
});

test('a VM that was recreated under its old name is refused, and joins once the old Node object is deleted', async () => {
  await cluster.recreate(agent);
  const { message } = await told(agent, 'K3sRunning', 'NodePasswordRejected');
  expect(message).toContain('Node password rejected, duplicate hostname');
  expect(message).toContain('slipway node forget');
  await server.ask('kubectl', 'delete', 'node', 'vm-agent');
  await isReadyAfter(Date.now());
  expect(await startsOf(agent, 'k3s-agent.service')).toBe(1);
});

test('a server that was recreated has a new CA, and an agent joins the server only with consent', async () => {
  const known = agent.read('/var/lib/rancher/k3s/agent/server-ca.crt');
  const k3sStart = await agent.k3sStart();
  await cluster.recreate(server);
  await eventually('the new server to be Ready', () => server.isReady());
  await agent.reload();
  const { message, status } = await told(agent, 'ServerReachable', 'ServerChanged');
  expect(status).toBe('False');
  expect(message).toContain('shows another CA');
  const [, line] = /add `(consent: \{ serverChange: .+)` to /.exec(message) ?? [];
  expect(line, message).toBeDefined();
  expect(agent.read('/var/lib/rancher/k3s/agent/server-ca.crt'), 'Nothing was changed').toBe(known);
  expect(await agent.k3sStart(), 'K3s goes on').toBe(k3sStart);

  agent.write('/etc/slipway/config.d/consent.yaml', `${line}\n`);
  const consented = Date.now();
  await agent.reload();
  await isReadyAfter(consented);
  expect(nodes(cluster)).toEqual({ 'vm-server': 'True', 'vm-agent': 'True' });
  expect(await startsOf(agent, 'k3s-agent.service')).toBe(2);
});

async function isReadyAfter(since: number): Promise<void> {
  await eventually('the agent to be Ready', () => agent.isReady(since));
}
