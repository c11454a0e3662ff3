/**
 * Tests that Slipway copies a real etcd by the snapshots of a server, and judges snapshots as etcdctl does.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { Host } from '../../src/agent/engine/host.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { copyEtcd } from '../../src/agent/parts/k3s/datastore/copy-etcd.ts';
import { etcdMembers } from '../../src/agent/parts/k3s/datastore/etcd-members.ts';
import { etcdQueries } from '../../src/agent/parts/k3s/datastore/etcd-queries.ts';
import { kineFacts } from '../../src/agent/parts/k3s/datastore/kine.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { type ACluster, aCluster, etcdMissing, type StartedServer } from './a-cluster.ts';

const run = promisify(execFile);
const maps = '/api/v1/namespaces/default/configmaps';

describe.skipIf(etcdMissing !== undefined)(
  `a copy of a real etcd${etcdMissing === undefined ? '' : ` (skipped: ${etcdMissing})`}`,
  () => {
    let cluster: ACluster;
    let server: StartedServer;
    let folder: string;
    const host: Host = nodeHost();
    const signal = new AbortController().signal;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'slipway-copies-'));
      cluster = await aCluster();
      server = await cluster.server('a');
      server.configure({ 'cluster-init': true });
      await server.up();
      for (let at = 0; at < 30; at++) {
        await server.api('POST', maps, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `map-${at}` },
          data: { text: `${at}`.repeat(1_000) },
        });
      }
    });
    afterAll(async () => {
      await cluster.end();
      rmSync(folder, { recursive: true });
    });

    const node = () => ({
      ...aNode('server', { settings: { k3s: { config: { 'https-listen-port': server.port } } } }),
      name: 'a',
      paths: { ...nodePaths(server.root), slipway: { ...nodePaths(server.root).slipway, state: folder } },
    });
    const status = async (path: string) => {
      const { stdout } = await run('etcdctl', ['snapshot', 'status', path, '-w', 'json'], {
        env: { ...process.env, ETCDCTL_API: '3' },
      });
      return JSON.parse(stdout);
    };
    /** Returns whether etcdctl would restore a snapshot, for which it compares the digest. */
    const isRestored = async (path: string) => {
      const to = mkdtempSync(join(folder, 'restored-'));
      return run('etcdctl', ['snapshot', 'restore', path, '--data-dir', join(to, 'data')], {
        env: { ...process.env, ETCDCTL_API: '3' },
      }).then(
        () => true,
        () => false,
      );
    };
    const verdict = (path: string) =>
      host.readSnapshot(path, etcdQueries).then(
        () => true,
        (thrown) => (thrown instanceof NodeError && thrown.reason === 'DatabaseDamaged' ? false : thrown),
      );

    test('has the revision, the objects and the bootstrap data, and leaves only the snapshots of K3s', async () => {
      await server.run('etcd-snapshot', 'save', '--etcd-server', server.url);
      const snapshots = join(server.root, 'var/lib/rancher/k3s/server/db/snapshots');
      const before = readdirSync(snapshots);
      const to = join(folder, 'copy.db');
      const facts = await copyEtcd(host, node(), { to, room: 1 }, signal);
      const found = kineFacts(facts, to);
      expect((await status(to)).revision).toBe(found.revision);
      expect(found.objects).toBeGreaterThanOrEqual(30);
      expect(found.tokens).toHaveLength(1);
      expect(readdirSync(snapshots)).toEqual(before);
      const { body } = await server.api('GET', '/apis/k3s.cattle.io/v1/etcdsnapshotfiles');
      expect(body.items.map(({ spec }: { spec: { snapshotName: string } }) => spec.snapshotName)).toEqual(
        before,
      );
      expect(await isRestored(to)).toBe(true);
    });

    test('is refused if and only if etcdctl refuses to restore it', async () => {
      const to = join(folder, 'whole.db');
      await copyEtcd(host, node(), { to, room: 1 }, signal);
      const whole = readFileSync(to);
      const cases = {
        whole,
        'without its end': whole.subarray(0, whole.length - 4_096),
        'without its digest': whole.subarray(0, whole.length - 32),
        'with another bit in its data': flipped(whole, 70_000),
        'with another bit in its metadata': flipped(whole, 40),
        'with another bit in its digest': flipped(whole, whole.length - 1),
        empty: Buffer.alloc(0),
      };
      const verdicts: [string, boolean][] = [];
      for (const [name, bytes] of Object.entries(cases)) {
        const path = join(folder, 'case.db');
        writeFileSync(path, bytes);
        const own = await verdict(path);
        expect([name, own]).toEqual([name, await isRestored(path)]);
        verdicts.push([name, own]);
      }
      expect(verdicts.filter(([, own]) => own)).toEqual([['whole', true]]);
    });

    test('names the members of etcd', async () => {
      expect(await etcdMembers(host, node())).toEqual({ isLearner: false, others: 0, servers: [] });
    });
  },
);

function flipped(whole: Buffer, at: number): Buffer {
  const bytes = Buffer.from(whole);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes;
}
