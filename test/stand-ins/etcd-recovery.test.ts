/**
 * Tests of the snapshots, the restore and the migration of a server with etcd, whose files are those of a real etcd.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ACluster, aCluster, etcdMissing, type StartedServer } from './a-cluster.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const hasBeenReset =
  'Shutdown request received: \\"Managed etcd cluster membership has been reset, restart without --cluster-reset flag now.';

describe.skipIf(etcdMissing !== undefined)(
  `a server with embedded etcd${etcdMissing === undefined ? '' : ` (skipped: ${etcdMissing})`}`,
  () => {
    let cluster: ACluster;
    let server: StartedServer;

    beforeEach(async () => {
      cluster = await aCluster();
      server = await cluster.server('a');
      server.configure({ 'cluster-init': true });
    });
    afterEach(() => cluster.end());

    const data = (...path: readonly string[]) => join(server.root, 'var/lib/rancher/k3s/server', ...path);
    const snapshots = (...args: readonly string[]) =>
      server.run('etcd-snapshot', ...args, '--etcd-server', server.url);
    const saved = async (...args: readonly string[]) => {
      const { stderr } = await snapshots('save', ...args);
      return /Snapshot (\S+) saved/.exec(stderr)?.[1] ?? stderr;
    };

    test('saves, lists, prunes and deletes real snapshots', async () => {
      await server.up();
      const first = await saved();
      expect(first).toMatch(/^on-demand-a-\d{10}$/);
      const second = await saved('--name', 'before');
      const { stdout } = await snapshots('ls');
      expect(stdout.split('\n')[0]).toMatch(/^Name +Location +Size +Created$/);
      expect(stdout).toContain(`file://${data('db/snapshots', first)}`);
      expect((await server.api('GET', '/apis/k3s.cattle.io/v1/etcdsnapshotfiles')).body.items).toMatchObject([
        { spec: { snapshotName: second, nodeName: 'a' }, status: { readyToUse: true } },
        { spec: { snapshotName: first, nodeName: 'a' }, status: { readyToUse: true } },
      ]);
      expect((await snapshots('prune', '--name', 'before', '--snapshot-retention', '0')).stderr).toBe('');
      const { stderr } = await snapshots('delete', first, 'absent');
      expect(stderr).toContain(`Snapshot ${first} deleted.`);
      expect(stderr).toContain('Snapshot absent not found.');
      expect(readdirSync(data('db/snapshots'))).toEqual([second]);
    });

    test('forgets the objects of its snapshots if it is asked for one in another folder', async () => {
      await server.up();
      await saved();
      const other = await saved('--dir', server.root, '--name', 'elsewhere');
      const { body } = await server.api('GET', '/apis/k3s.cattle.io/v1/etcdsnapshotfiles');
      expect(body.items.map(({ spec }: { spec: { snapshotName: string } }) => spec.snapshotName)).toEqual([
        other,
      ]);
      expect(readdirSync(data('db/snapshots'))).toHaveLength(1);
    });

    test('is restored from a snapshot, with the files and words of K3s', async () => {
      await server.up();
      await server.api('POST', maps, map('before'));
      const snapshot = data('db/snapshots', await saved());
      await server.api('POST', maps, map('after'));
      await server.stop();
      const reset = await server.run('server', '--cluster-reset', `--cluster-reset-restore-path=${snapshot}`);
      expect(reset.stderr).toContain(hasBeenReset);
      expect(reset.exitCode).toBe(0);
      expect(existsSync(data('db/reset-flag'))).toBe(true);
      expect(readdirSync(data('db')).some((name) => /^etcd-old-\d+$/.test(name))).toBe(true);
      expect(readdirSync(data()).some((name) => /^tls-\d+$/.test(name))).toBe(true);
      const again = await server.run('server', '--cluster-reset');
      expect(again.stderr).toContain(
        'Managed etcd cluster membership was previously reset, please remove the cluster-reset flag',
      );
      expect(again.exitCode).toBe(1);
      await server.up();
      expect(existsSync(data('db/reset-flag'))).toBe(false);
      expect((await server.api('GET', `${maps}/before`)).status).toBe(200);
      expect((await server.api('GET', `${maps}/after`)).status).toBe(404);
    });

    test('is restored on a fresh disk only with the token of the snapshot, and has its old authorities', async () => {
      await server.up();
      await server.api('POST', maps, map('before'));
      const ca = server.data('tls/server-ca.crt');
      const name = await saved();
      await server.stop();
      const snapshot = join(server.root, name);
      renameSync(data('db/snapshots', name), snapshot);
      rmSync(data(), { recursive: true });
      const restore = `--cluster-reset-restore-path=${snapshot}`;
      server.configure({ token: undefined });
      const without = await server.run('server', '--cluster-reset', restore);
      expect(without.stderr).toContain('please pass --token to complete the restoration');
      server.configure({ token: 'another' });
      const wrong = await server.run('server', '--cluster-reset', restore);
      expect(wrong.stderr).toContain('bootstrap data already found and encrypted with different token');
      rmSync(data(), { recursive: true });
      server.configure({});
      expect((await server.run('server', '--cluster-reset', restore)).stderr).toContain(hasBeenReset);
      await server.up();
      expect(server.data('tls/server-ca.crt')).toBe(ca);
      expect((await server.api('GET', `${maps}/before`)).status).toBe(200);
    });

    test('refuses a reset with a server URL, and a missing snapshot', async () => {
      server.configure({ server: 'https://127.0.0.1:1' });
      const reset = await server.run('server', '--cluster-reset', '--cluster-reset-restore-path=/nowhere');
      expect(reset.stderr).toContain(
        'cannot perform cluster-reset while server URL is set - remove server from configuration before resetting',
      );
      server.configure({});
      const missing = await server.run('server', '--cluster-reset', '--cluster-reset-restore-path=/nowhere');
      expect(missing.stderr).toContain('etcd: snapshot path does not exist: /nowhere');
      expect(missing.exitCode).toBe(1);
    });

    test('takes over the objects of SQLite, and cannot take snapshots before', async () => {
      server.configure({});
      await server.up();
      await server.api('POST', maps, map('old'));
      expect((await server.ask('/db/info')).status).toBe(400);
      await server.stop();
      server.configure({ 'cluster-init': true });
      await server.up();
      expect(server.log()).toContain('Migrating content from sqlite to etcd');
      expect(server.log()).toContain('Migrating etcd key /registry/configmaps/default/old');
      expect((await server.api('GET', `${maps}/old`)).status).toBe(200);
      expect(existsSync(data('db/state.db.migrated'))).toBe(true);
      expect(existsSync(data('db/state.db'))).toBe(false);
    });

    test('keeps its etcd after a restart without any flag, as K3s does', async () => {
      await server.up();
      await server.api('POST', maps, map('kept'));
      await server.stop('SIGKILL');
      server.configure({});
      await server.up();
      expect(server.log()).toContain('Managed etcd cluster bootstrap already complete and initialized');
      expect((await server.api('GET', `${maps}/kept`)).status).toBe(200);
    });
  },
);
