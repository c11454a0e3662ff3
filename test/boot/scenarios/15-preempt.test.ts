import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Objects, openObjects } from '../../lab/standins/k3s-objects.ts';
import { type PodChanges, pod } from '../../unit/agent/parts/maintenance/drain/some-pods.ts';
import { type BootedHost, eventually } from '../booted-host.ts';
import { type Cluster, type HostName, startCluster } from '../cluster.ts';
import { nodes, startsOf, told } from '../judge.ts';
import { interruptionsOf, shownOn } from '../turns.ts';

/** The time from the announcement until Azure takes a Spot VM away, in milliseconds. */
const notice = 30_000;

let cluster: Cluster;
let server: BootedHost<HostName>;
let agent: BootedHost<HostName>;
let objects: Objects;
let event: string;
/** The number of requests before the announcement. */
let before: number;

beforeAll(async () => {
  cluster = await startCluster({
    hosts: ['server', 'agent'],
    settings: () => ({ gitops: { engine: 'none' }, maintenance: { scheduledEvents: 'drain' } }),
  });
  [server, agent] = [cluster.host('server'), cluster.host('agent')];
  for (const { name } of cluster.hosts) {
    cluster.azure.node(name).vm.priority = 'Spot';
  }
  await cluster.powerOn();
  await cluster.ready();
  await eventually('the hosts to ask for events', () => cluster.azure.events.on.size === 2);
  objects = openObjects(server.path('/var/lib/rancher/k3s/server/db/objects'));
});

afterAll(() => cluster?.stop());

function startPod(name: string, changes: PodChanges = {}): void {
  objects.put('pods', 'default', pod(name, { node: 'vm-agent', ...changes }));
}

function pods(): readonly string[] {
  return objects.list('pods').map(({ metadata }) => metadata.name);
}

/** Returns the requests about events since the announcement, such as `imds agent: GET 200`. */
function requests(): readonly string[] {
  return cluster.azure.requests
    .slice(before)
    .filter(({ path }) => path === '/metadata/scheduledevents')
    .map((request) => `${request.server}: ${request.method} ${request.status}`);
}

function acknowledgements(): readonly string[] {
  return requests().filter((request) => request.includes('POST'));
}

test('an agent whose eviction Azure announces is cordoned and emptied, and then lets Azure begin in time', async () => {
  startPod('ends-soon');
  startPod('ends-late', { annotations: { 'standin/ends-after': '5' } });
  startPod('of-a-daemon-set', { owner: 'DaemonSet' });
  before = cluster.azure.requests.length;
  event = cluster.azure.events.announce({ type: 'Preempt', vms: ['agent'] });
  await eventually('the acknowledgement', () => cluster.azure.events.acknowledged.length > 0, notice);
  expect(pods(), 'the evicted pods had ended').toEqual(['of-a-daemon-set']);
  expect(shownOn(cluster, 'agent')).toMatchObject({ isCordoned: true, hasMark: true });
  expect(cluster.azure.events.acknowledged).toEqual([event]);
  expect(acknowledgements()).toEqual(['imds agent: POST 200']);
});

test('nothing is restarted for the event, and the server ignores it', async () => {
  const begun = 'The cloud has announced the eviction of this Spot VM, which has begun.';
  const message = () => agent.condition('Maintenance')?.message;
  await eventually('the agent to see the event begin', () => message() === begun, 30_000);
  expect(agent.condition('Ready')).toMatchObject({ status: 'True', reason: 'InSync' });
  expect(requests()).toContain('imds server: GET 200');
  expect(server.condition('Maintenance')).toMatchObject({ status: 'True', reason: 'InSync' });
  expect(shownOn(cluster, 'server')).toMatchObject({ isCordoned: false, hasMark: false });
  expect(await interruptionsOf(cluster.hosts)).toEqual([]);
  for (const host of cluster.hosts) {
    expect(await startsOf(host, host.k3sUnit), host.name).toBe(1);
    expect(await startsOf(host, 'slipway.service'), host.name).toBe(1);
  }
});

test('a VM that Azure has taken away comes back Ready, and is uncordoned once K3s runs', async () => {
  await agent.crash();
  cluster.azure.events.end(event);
  expect(shownOn(cluster, 'agent').isCordoned, 'no pod is scheduled to a VM that is gone').toBe(true);
  await agent.powerOn();
  await eventually('the agent to take pods again', () => !shownOn(cluster, 'agent').isCordoned, 60_000);
  expect(await agent.show(agent.k3sUnit, 'ActiveState')).toEqual({ ActiveState: 'active' });
  await told(agent, 'Maintenance', 'InSync');
  await cluster.ready();
  expect(shownOn(cluster, 'agent')).toMatchObject({ isCordoned: false, hasMark: false });
  expect(nodes(cluster)).toEqual({ 'vm-server': 'True', 'vm-agent': 'True' });
  expect(await startsOf(agent, agent.k3sUnit), 'once in each boot').toBe(2);
  expect(await startsOf(server, server.k3sUnit), 'the server runs on').toBe(1);
  expect(acknowledgements(), 'no second acknowledgement').toHaveLength(1);
});
