/** Tests that `slipway restore` brings a cluster back on an empty disk, and that its agents then go on untouched. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { renderOwn } from '../../src/agent/engine/own-file.ts';
import { describeCopy } from '../../src/agent/parts/k3s/datastore/keep-copy.ts';
import { kineQueries } from '../../src/agent/parts/k3s/datastore/kine.ts';
import { type ACluster, aCluster, etcdMissing, type StartedServer } from './a-cluster.ts';
import { restoredServer } from './a-restored-server.ts';

const node = '/api/v1/nodes/agent-1';

describe('a server that lost its disk', () => {
  let cluster: ACluster;
  let server: StartedServer;
  let agent: ChildProcess;

  beforeEach(async () => {
    cluster = await aCluster();
    server = await cluster.server('a');
  });
  afterEach(async () => {
    agent?.kill('SIGKILL');
    await cluster.end();
  });

  /** Starts an agent, and resolves once its Node is Ready. */
  async function joinAgent(): Promise<void> {
    const { root } = await cluster.server('agent-1');
    const config = join(root, 'etc/rancher/k3s/config.yaml');
    mkdirSync(dirname(config), { recursive: true });
    writeFileSync(config, stringify({ server: server.url, token: 'secret', 'node-name': 'agent-1' }));
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin' };
    agent = spawn(join(root, 'usr/local/bin/k3s'), ['agent'], { env, stdio: 'ignore' });
    await expect
      .poll(async () => (await server.api('GET', node)).body.status?.conditions, { timeout: 60_000 })
      .toMatchObject([{ type: 'Ready', status: 'True' }]);
  }

  /** Returns when the kubelet of a Node last reported that it is Ready; 0 if it is not. */
  async function heartbeat(path: string): Promise<number> {
    const conditions: readonly Record<string, string>[] =
      (await server.api('GET', path)).body.status?.conditions ?? [];
    const ready = conditions.find(({ type, status }) => type === 'Ready' && status === 'True');
    return Date.parse(ready?.lastHeartbeatTime ?? '1970-01-01');
  }

  /** Loses the disk of the server, restores a copy on an empty one, and expects the agent to go on. */
  async function lose(copy: string, settings: object): Promise<void> {
    const ca = server.data('tls/server-ca.crt');
    const kept = join(server.root, 'mnt');
    mkdirSync(kept);
    for (const name of ['copy', 'copy.json']) {
      try {
        renameSync(name === 'copy' ? copy : `${copy}.json`, join(kept, name));
      } catch {
        // A snapshot of K3s has no manifest.
      }
    }
    await server.stop('SIGKILL');
    rmSync(join(server.root, 'var'), { recursive: true });
    rmSync(join(server.root, 'etc'), { recursive: true });
    server.configure(settings);
    const since = Date.now();
    expect(await restoredServer(server).restore(join(kept, 'copy'))).toContain('The datastore is restored');
    expect(server.data('tls/server-ca.crt')).toBe(ca);
    await expect.poll(() => heartbeat(node), { timeout: 60_000 }).toBeGreaterThan(since);
    await expect.poll(() => heartbeat('/api/v1/nodes/a'), { timeout: 60_000 }).toBeGreaterThan(since);
    expect(agent.exitCode).toBeNull();
  }

  test('has its SQLite cluster again, with its agent', async () => {
    server.configure({});
    await server.up();
    await joinAgent();
    const { host, paths } = restoredServer(server);
    const to = join(server.root, 'backup.db');
    const from = join(paths.k3s.datastore, 'state.db');
    const facts = await host.copyDatabase({ from, to, queries: kineQueries, room: 1 });
    const about = { kind: 'sqlite', reason: 'by schedule', version: 'v1.36.3+k3s1', from: to } as const;
    const manifest = await describeCopy(host, paths, facts, about);
    writeFileSync(`${to}.json`, renderOwn({ format: 1 }, manifest));
    await lose(to, {});
  });

  test.skipIf(etcdMissing !== undefined)(
    `has its cluster with etcd again, with its agent${etcdMissing === undefined ? '' : ` (skipped: ${etcdMissing})`}`,
    async () => {
      server.configure({ 'cluster-init': true });
      await server.up();
      await joinAgent();
      const { stderr } = await server.run('etcd-snapshot', 'save', '--etcd-server', server.url);
      const name = /Snapshot (\S+) saved/.exec(stderr)?.[1] ?? stderr;
      await lose(join(server.root, 'var/lib/rancher/k3s/server/db/snapshots', name), {
        'cluster-init': true,
      });
    },
  );
});
