/**
 * Tests that servers of the stand-in share a real etcd as those of K3s do: they join, conflict, lose quorum, and leave.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ACluster, aCluster, etcdMissing, type StartedServer, waitFor } from './a-cluster.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const map = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});

describe.skipIf(etcdMissing !== undefined)(
  `three servers with embedded etcd${etcdMissing === undefined ? '' : ` (skipped: ${etcdMissing})`}`,
  () => {
    let cluster: ACluster;
    let a: StartedServer;
    let b: StartedServer;
    let c: StartedServer;

    beforeAll(async () => {
      cluster = await aCluster();
      a = await cluster.server('a');
      b = await cluster.server('b');
      c = await cluster.server('c');
      a.configure({ 'cluster-init': true });
      b.configure({ server: a.url });
      c.configure({ server: a.url });
      await a.up();
      const first = b.up();
      // etcd drops a change of members that is proposed before the last one is applied.
      await waitFor(() => b.log().includes('Starting etcd for cluster'));
      await Promise.all([first, c.up()]);
    });
    afterAll(() => cluster.end());

    test('join one after the other, and become voting members', async () => {
      const words = `${b.log()}${c.log()}`;
      expect(words).toMatch(/Adding member b-[0-9a-f]{8}=http/);
      expect(words).toContain('has not yet been promoted from learner to voting member');
      expect(words).toContain(
        'Waiting for other members to finish joining etcd cluster: etcdserver: too many learner members',
      );
      const info = JSON.parse((await c.ask('/db/info')).body);
      expect(info.members.map(({ name }: { name: string }) => name.slice(0, 2)).sort()).toEqual([
        'a-',
        'b-',
        'c-',
      ]);
      expect(existsSync(join(b.root, 'var/lib/rancher/k3s/server/db/etcd/member/wal'))).toBe(true);
      expect(b.data('db/etcd/name')).toMatch(/^b-[0-9a-f]{8}$/);
    });

    test('have the same authorities, and nodes with the label and the condition of etcd', async () => {
      expect(b.data('tls/server-ca.crt')).toBe(a.data('tls/server-ca.crt'));
      await expect
        .poll(async () => (await c.api('GET', '/api/v1/nodes/b')).body, { timeout: 60_000 })
        .toMatchObject({
          metadata: {
            labels: { 'node-role.kubernetes.io/etcd': 'true' },
            annotations: { 'etcd.k3s.cattle.io/node-name': b.data('db/etcd/name') },
          },
          status: {
            conditions: [
              { type: 'Ready', status: 'True' },
              { type: 'EtcdIsVoter', status: 'True', reason: 'MemberNotLearner' },
            ],
          },
        });
    });

    test('show an object at once on each server, and let one of two concurrent updates win', async () => {
      const { body: created } = await a.api('POST', maps, map('shared'));
      expect((await c.api('GET', `${maps}/shared`)).body).toEqual(created);
      const update = (server: StartedServer, by: string) =>
        server.api('PUT', `${maps}/shared`, { ...created, data: { by } });
      const answers = await Promise.all([update(a, 'a'), update(b, 'b'), update(c, 'c')]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
      const { data } = answers.find(({ status }) => status === 200)?.body ?? {};
      expect((await b.api('GET', `${maps}/shared`)).body.data).toEqual(data);
    });

    test('refuse a joining server with the name of a member, other critical settings, or a wrong token', async () => {
      const ended = async (name: string, settings: object) => {
        const server = await cluster.server(name);
        server.configure({ server: a.url, ...settings });
        server.start();
        await expect.poll(() => server.child?.exitCode, { timeout: 60_000 }).toBeTypeOf('number');
        return server.log();
      };
      expect(await ended('b', {})).toContain(
        'Shutdown request received: \\"etcd cluster join failed: duplicate node name found, please use a unique name for this node',
      );
      const other = await ended('d', { 'cluster-cidr': '10.99.0.0/16' });
      expect(other).toContain('critical configuration mismatched: cluster-cidr');
      expect(other).toContain(
        'Error: preparing server: failed to bootstrap cluster data: failed to validate server configuration: critical configuration value mismatch between servers',
      );
      const wrong = await ended('d', { token: 'wrong' });
      expect(wrong).toContain('Skipping cluster configuration validation');
      expect(wrong).toMatch(/failed to bootstrap cluster data: https:\S+server-bootstrap: 401 Unauthorized/);
    });

    test('keep bootstrap data that only the server token opens', async () => {
      expect((await a.ask('/v1-k3s/server-bootstrap', 'node:secret')).status).toBe(403);
      expect(JSON.parse((await a.ask('/v1-k3s/server-bootstrap')).body)).toHaveProperty('tls/server-ca.key');
      await c.stop();
      c.configure({ server: a.url, token: 'another' });
      c.start();
      await expect.poll(() => c.child?.exitCode, { timeout: 60_000 }).toBe(1);
      expect(c.log()).toContain('Unable to reconcile with remote datastore');
      expect(c.log()).toContain(
        'failed to reconcile with local datastore: bootstrap data already found and encrypted with different token',
      );
      c.configure({ server: a.url });
      await c.up();
      expect(c.log()).toContain('Successfully reconciled with remote datastore');
    });

    test('answer with the error of etcd without quorum, and recover with it', async () => {
      await Promise.all([b.stop('SIGKILL'), c.stop('SIGKILL')]);
      const [read, ready] = await Promise.all([a.api('GET', `${maps}/shared`), a.api('GET', '/readyz')]);
      expect(read).toMatchObject({ status: 500, body: { message: expect.stringMatching(/^etcdserver: /) } });
      expect(ready).toEqual({ status: 500, body: expect.stringContaining('[-]etcd failed') });
      expect(await a.ask('/db/info')).toMatchObject({
        status: 500,
        body: expect.stringContaining('failed to get etcd MemberList'),
      });
      await b.up();
      await expect
        .poll(async () => (await a.api('GET', `${maps}/shared`)).status, { timeout: 60_000 })
        .toBe(200);
    });

    test('remove the member of a deleted Node, which rejoins at its next start only if it has a server', async () => {
      await c.up();
      const before = c.data('db/etcd/name');
      expect((await b.kubectl('delete', 'node', 'c')).exitCode).toBe(0);
      await expect
        .poll(c.log, { timeout: 60_000 })
        .toContain('This node has been removed from the cluster - please restart k3s to rejoin the cluster');
      await c.stop();
      c.configure({ 'cluster-init': true });
      c.start();
      await expect.poll(() => c.child?.exitCode, { timeout: 60_000 }).toBe(1);
      expect(c.log()).toContain('tombstone file has been detected but --server is empty');
      c.configure({ server: a.url });
      await c.up();
      expect(c.data('db/etcd/name')).not.toBe(before);
      const kept = readdirSync(join(c.root, 'var/lib/rancher/k3s/server/db'));
      expect(kept.filter((name) => /^etcd-backup-\d+$/.test(name))).toHaveLength(1);
    });
  },
);
