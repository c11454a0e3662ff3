/** Tests `slipway restore` of a snapshot on servers whose files are those of a real etcd. */
import { copyFileSync, existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ACluster, aCluster, etcdMissing, type StartedServer } from './a-cluster.ts';
import { restoredServer } from './a-restored-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

describe.skipIf(etcdMissing !== undefined)(
  `slipway restore on servers with embedded etcd${etcdMissing === undefined ? '' : ` (skipped: ${etcdMissing})`}`,
  () => {
    let cluster: ACluster;
    let a: StartedServer;
    let b: StartedServer;

    beforeEach(async () => {
      cluster = await aCluster();
      a = await cluster.server('a');
      b = await cluster.server('b');
      a.configure({ 'cluster-init': true });
      b.configure({ server: a.url });
      await a.up();
      await a.api('POST', maps, map('before'));
    });
    afterEach(() => cluster.end());

    const data = (server: StartedServer, path: string) =>
      join(server.root, 'var/lib/rancher/k3s/server', path);

    async function saved(server: StartedServer): Promise<string> {
      const { stderr } = await server.run('etcd-snapshot', 'save', '--etcd-server', server.url);
      return data(server, `db/snapshots/${/Snapshot (\S+) saved/.exec(stderr)?.[1] ?? stderr}`);
    }

    test('lets a server that had joined go on alone with the snapshot of another, and a peer joins again', async () => {
      await b.up();
      const snapshot = await saved(a);
      await a.api('POST', maps, map('after'));
      await a.stop('SIGKILL');
      const fetched = data(b, '../snapshot');
      copyFileSync(snapshot, fetched);
      const ca = b.data('tls/server-ca.crt');
      const { restore } = restoredServer(b);
      expect(await restore(fetched)).toContain('The datastore is restored, and the API is ready.');
      expect((await b.api('GET', `${maps}/before`)).status).toBe(200);
      expect((await b.api('GET', `${maps}/after`)).status).toBe(404);
      expect(b.data('tls/server-ca.crt')).toBe(ca);
      expect(readdirSync(data(b, 'db')).filter((name) => name.includes('before-restore'))).toHaveLength(1);
      expect(existsSync(data(b, 'db/reset-flag'))).toBe(false);
      expect(JSON.parse((await b.ask('/db/info')).body).members).toHaveLength(1);
      renameSync(data(a, 'db'), data(a, 'db-former'));
      a.configure({ server: b.url });
      await a.up();
      expect(JSON.parse((await b.ask('/db/info')).body).members).toHaveLength(2);
      expect((await a.api('GET', `${maps}/before`)).status).toBe(200);
    });

    test('lets a server that had joined go on with its own etcd after the loss of the other, which joins again', async () => {
      await b.up();
      await a.api('POST', maps, map('after'));
      const ca = b.data('tls/server-ca.crt');
      await a.stop('SIGKILL');
      const { goOn } = restoredServer(b);
      expect(await goOn()).toContain('The datastore is restored, and the API is ready.');
      for (const name of ['before', 'after']) {
        expect((await b.api('GET', `${maps}/${name}`)).status).toBe(200);
      }
      expect(b.data('tls/server-ca.crt')).toBe(ca);
      expect(JSON.parse((await b.ask('/db/info')).body).members).toHaveLength(1);
      const [kept = '', ...others] = readdirSync(data(b, 'db')).filter((name) =>
        name.includes('before-restore'),
      );
      expect([existsSync(data(b, `db/${kept}/member/wal`)), others]).toEqual([true, []]);
      expect(existsSync(data(b, 'db/reset-flag'))).toBe(false);
      renameSync(data(a, 'db'), data(a, 'db-former'));
      a.configure({ server: b.url });
      await a.up();
      expect(JSON.parse((await b.ask('/db/info')).body).members).toHaveLength(2);
    });

    test('refuses a damaged snapshot while K3s runs, and then restores another one', async () => {
      const snapshot = await saved(a);
      const damaged = data(a, '../damaged');
      copyFileSync(data(a, 'token'), damaged);
      const { restore } = restoredServer(a);
      await expect(restore(damaged)).rejects.toMatchObject({ reason: 'DatabaseDamaged' });
      expect(a.child?.exitCode).toBeNull();
      await restore(snapshot);
      expect((await a.api('GET', `${maps}/before`)).status).toBe(200);
    });
  },
);
