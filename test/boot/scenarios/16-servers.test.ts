import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../booted-host.ts';
import { startsOf, told } from '../judge.ts';
import { type MemberName, type ServersCluster, startServers } from '../servers-cluster.ts';

const unit = 'k3s.service';
/** How long the first server may take: it waits five minutes for others before it founds the cluster. */
const foundedWithin = 540_000;

let cluster: ServersCluster;
/** The CA of the cluster, which another cluster would not have. */
let authority: string | undefined;

beforeAll(async () => {
  cluster = await startServers();
  cluster.resolve('server-1', 'server-2', 'server-3');
  await Promise.all(inOrder.map((name) => cluster.create(name)));
});

afterAll(() => cluster?.stop());

const inOrder = ['server-1', 'server-2', 'server-3', 'agent'] as const;

interface Shown {
  readonly isReady: boolean;
  readonly votes: boolean;
}

/** Resolves to the Nodes that a server shows, by name; rejects with the words of kubectl. */
async function nodesOn(server: MemberName): Promise<Readonly<Record<string, Shown>>> {
  const text = await cluster.host(server).ask('kubectl', 'get', 'nodes', '-o', 'json');
  const items: readonly NodeObject[] = JSON.parse(text).items;
  return Object.fromEntries(
    items.map(({ metadata: { name }, status: { conditions } }) => {
      const isTrue = (wanted: string) =>
        conditions.some(({ type, status }) => type === wanted && status === 'True');
      return [name, { isReady: isTrue('Ready'), votes: isTrue('EtcdIsVoter') }];
    }),
  );
}

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Waits until every one of these servers shows the same Nodes: all servers, which vote, and the agent. */
async function areOneCluster(...servers: readonly MemberName[]): Promise<void> {
  const wanted = Object.fromEntries([
    ['vm-agent', { isReady: true, votes: false }],
    ...servers.map((name) => [`vm-${name}`, { isReady: true, votes: true }]),
  ]);
  for (const server of servers) {
    let seen: Readonly<Record<string, Shown>> = {};
    await eventually(`${server} to show one cluster`, async () => {
      seen = await nodesOn(server).catch(() => ({}));
      return JSON.stringify(sorted(seen)) === JSON.stringify(sorted(wanted));
    }).catch((thrown) => {
      throw new Error(`${thrown.message} It shows ${JSON.stringify(seen)}.`);
    });
    authority ??= authorityOf(server);
    expect(authorityOf(server), `${server} has the CA of the cluster`).toBe(authority);
  }
}

function sorted<Value>(record: Readonly<Record<string, Value>>): readonly (readonly [string, Value])[] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function authorityOf(server: MemberName): string | undefined {
  return cluster.host(server).read('/var/lib/rancher/k3s/server/tls/server-ca.crt');
}

/** Deletes a Node; tries again while etcd elects another leader. */
async function nodeDeleted(server: MemberName, name: string): Promise<void> {
  await eventually(`${name} to be deleted`, async () => {
    await cluster.host(server).run('kubectl', '--request-timeout=5s', 'delete', 'node', name);
    return !Object.keys(await nodesOn(server).catch(() => ({ [name]: true }))).includes(name);
  });
}

function claims(): readonly string[] {
  return [...cluster.account.blobs.keys()].filter((name) => name.includes('founding/'));
}

test('three servers and an agent from one user data become one cluster, which the marked server founds after a silence', async () => {
  const { message } = await told(cluster.host('server-1'), 'Role', 'FoundingWaits', 60_000);
  expect(message).toMatch(/\d+ s/);
  await told(cluster.host('server-2'), 'Role', 'FoundingWaits', 60_000);
  expect(claims(), 'nothing is claimed before the silence has lasted').toEqual([]);
  await cluster.ready(foundedWithin);
  await areOneCluster('server-1', 'server-2', 'server-3');
  expect(claims()).toHaveLength(1);
  const config = (name: MemberName) => cluster.host(name).read('/etc/rancher/k3s/config.yaml');
  expect(config('server-1')).toContain('cluster-init: true');
  for (const name of ['server-2', 'server-3'] as const) {
    expect(config(name)).toMatch(/^server: /m);
    expect(await startsOf(cluster.host(name), unit), name).toBe(1);
  }
});

test('a first server that was destroyed and created again from its user data joins, and founds no second cluster', async () => {
  const agentStart = await cluster.host('agent').k3sStart();
  await cluster.lose('server-1');
  await eventually('the others to go on', async () => {
    const nodes = await nodesOn('server-2').catch(() => undefined);
    return nodes?.['vm-server-1']?.isReady === false;
  });
  await nodeDeleted('server-2', 'vm-server-1');
  await cluster.create('server-1');
  await cluster.ready();
  await areOneCluster('server-1', 'server-2', 'server-3');
  expect(cluster.host('server-1').read('/etc/rancher/k3s/config.yaml')).toMatch(/^server: /m);
  expect(claims()).toHaveLength(1);
  expect(await cluster.host('agent').k3sStart(), 'the agent runs on').toBe(agentStart);
});

test('a server moves to a new VM: the new one joins, and the old one leaves etcd with its Node', async () => {
  cluster.resolve('server-1', 'server-2', 'server-3', 'server-4');
  await cluster.create('server-4');
  await cluster.ready();
  await areOneCluster('server-1', 'server-2', 'server-3', 'server-4');
  await cluster.lose('server-2');
  await nodeDeleted('server-1', 'vm-server-2');
  cluster.resolve('server-1', 'server-3', 'server-4');
  await areOneCluster('server-1', 'server-3', 'server-4');
});

test('without two of three servers, nothing can change, and everything goes on by itself once they are back', async () => {
  const agentStart = await cluster.host('agent').k3sStart();
  await loseQuorum();
  expect(await cluster.host('agent').k3sStart(), 'the agent runs on').toBe(agentStart);
  await Promise.all([cluster.find('server-3'), cluster.find('server-4')]);
  const since = Date.now();
  await eventually('all nodes to be Ready again', () =>
    (['server-1', 'server-3', 'server-4', 'agent'] as const).every((name) =>
      cluster.host(name).isReady(since),
    ),
  );
  await areOneCluster('server-1', 'server-3', 'server-4');
  expect(await cluster.host('agent').k3sStart()).toBe(agentStart);
});

/** Loses two of three servers, and waits until the third one reports it, and serves nothing. */
async function loseQuorum(): Promise<void> {
  const survivor = cluster.host('server-1');
  await Promise.all([cluster.lose('server-3'), cluster.lose('server-4')]);
  const health = async () => (await survivor.run('curl', '--silent', 'http://127.0.0.1:2381/health')).stdout;
  await eventually('etcd to miss its leader', async () => /NO LEADER/.test(await health()));
  await survivor.reload();
  await told(survivor, 'K3sRunning', 'QuorumLost');
  const { exitCode } = await survivor.run('kubectl', '--request-timeout=1s', 'get', 'nodes', '-o', 'json');
  expect(exitCode).not.toBe(0);
}

test('if two of three servers are lost for good, one goes on alone after a reset by hand, and a new VM joins it', async () => {
  const agentStart = await cluster.host('agent').k3sStart();
  const survivor = cluster.host('server-1');
  await loseQuorum();
  await survivor.ask('systemctl', 'stop', 'slipway', 'k3s');
  await survivor.ask('sed', '-i', '/^server:/d', '/etc/rancher/k3s/config.yaml');
  const reset = await survivor.run('k3s', 'server', '--cluster-reset');
  expect(reset.stderr).toContain('Managed etcd cluster membership has been reset');
  const since = Date.now();
  await survivor.ask('systemctl', 'start', 'slipway');
  await cluster.host('agent').reload();
  await eventually('the server and the agent to be Ready', () =>
    [survivor, cluster.host('agent')].every((host) => host.isReady(since)),
  );
  for (const lost of ['vm-server-3', 'vm-server-4']) {
    await nodeDeleted('server-1', lost);
  }
  cluster.resolve('server-1', 'server-3');
  await cluster.create('server-3');
  await cluster.ready();
  await areOneCluster('server-1', 'server-3');
  expect(await cluster.host('agent').k3sStart(), 'the agent runs on').toBe(agentStart);
});
