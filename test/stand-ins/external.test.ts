/** Tests that servers of the stand-in share a real PostgreSQL, with the table and the words of kine. */
import { readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ACluster, aCluster, type StartedServer } from './a-cluster.ts';
import { type APostgres, aPostgres, postgresMissing } from './a-postgres.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const map = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});

describe.skipIf(postgresMissing !== undefined)(
  `two servers on one PostgreSQL${postgresMissing === undefined ? '' : ` (skipped: ${postgresMissing})`}`,
  () => {
    let postgres: APostgres;
    let cluster: ACluster;
    let a: StartedServer;
    let b: StartedServer;

    beforeAll(async () => {
      [postgres, cluster] = await Promise.all([aPostgres(), aCluster()]);
      [a, b] = await Promise.all([cluster.server('a'), cluster.server('b')]);
      const endpoint = postgres.endpoint('k3s');
      a.configure({ 'datastore-endpoint': endpoint });
      b.configure({ 'datastore-endpoint': endpoint });
      await a.up();
      await b.up();
    });
    afterAll(async () => {
      await cluster.end();
      await postgres.stop();
    });

    test('have the same authorities and objects, in the table of kine', async () => {
      expect(b.data('tls/server-ca.crt')).toBe(a.data('tls/server-ca.crt'));
      const { body: created } = await a.api('POST', maps, map('shared'));
      expect((await b.api('GET', `${maps}/shared`)).body).toEqual(created);
      const names = postgres.sql(
        'k3s',
        "SELECT DISTINCT name FROM kine WHERE name NOT LIKE '%node-password%'",
      );
      expect(names).toContain('/registry/configmaps/default/shared\n');
      expect(names).toContain('/registry/nodes/_/b\n');
      expect(names).toMatch(/^\/bootstrap\/[0-9a-f]{12}$/m);
      expect((await a.ask('/db/info')).status).toBe(400);
    });

    test('let one of two concurrent updates win, and see deletions', async () => {
      const { body: created } = await a.api('POST', maps, map('raced'));
      const update = (server: StartedServer, by: string) =>
        server.api('PUT', `${maps}/raced`, { ...created, data: { by } });
      const answers = await Promise.all([update(a, 'a'), update(b, 'b')]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      expect((await b.api('DELETE', `${maps}/raced`)).status).toBe(200);
      expect((await a.api('GET', `${maps}/raced`)).status).toBe(404);
      expect((await a.api('POST', maps, map('raced'))).status).toBe(201);
      expect((await b.api('GET', `${maps}/raced`)).status).toBe(200);
    });

    test('go on after a restart of the database, and lose no object', async () => {
      await a.api('POST', maps, map('kept'));
      await postgres.restart();
      await expect.poll(async () => (await a.api('GET', `${maps}/kept`)).status).toBe(200);
      await expect.poll(async () => (await b.api('POST', maps, map('later'))).status).toBe(201);
      expect((await a.api('GET', `${maps}/later`)).status).toBe(200);
    });

    test('refuse another token, also after the disk is lost', async () => {
      await b.stop();
      b.configure({ 'datastore-endpoint': postgres.endpoint('k3s'), token: 'another' });
      const before = await b.run('server');
      expect(before.stderr).toContain('bootstrap data already found and encrypted with different token');
      rmSync(join(b.root, 'var/lib/rancher/k3s/server'), { recursive: true });
      b.configure({ 'datastore-endpoint': postgres.endpoint('k3s'), token: undefined });
      b.start();
      await expect.poll(() => b.child?.exitCode, { timeout: 60_000 }).toBe(1);
      expect(b.log()).toContain('failed to save bootstrap data: bootstrap data already found');
      // K3s forgives less than three seconds, which a fast machine can do all of the above in.
      const tls = join(b.root, 'var/lib/rancher/k3s/server/tls');
      const later = Date.now() / 1_000 + 5;
      for (const name of readdirSync(tls)) {
        utimesSync(join(tls, name), later, later);
      }
      b.configure({ 'datastore-endpoint': postgres.endpoint('k3s') });
      b.start();
      await expect.poll(() => b.child?.exitCode, { timeout: 60_000 }).toBe(1);
      expect(b.log()).toContain('newer than datastore and could cause a cluster outage');
      rmSync(join(b.root, 'var/lib/rancher/k3s/server'), { recursive: true });
      await b.up();
      expect((await b.api('GET', `${maps}/shared`)).status).toBe(200);
    });

    test('report a wrong password and a database that does not answer in the words of kine', async () => {
      const words = async (endpoint: string) => {
        const server = await cluster.server('c');
        server.configure({ 'datastore-endpoint': endpoint });
        const { stderr, exitCode } = await server.run('server');
        expect(exitCode).toBe(1);
        return stderr;
      };
      const wrong = await words(postgres.endpoint('k3s', 'wrong'));
      expect(wrong).toContain('building kine: failed to connect to `user=k3s database=k3s`: 127.0.0.1:');
      expect(wrong).toContain(
        'failed SASL auth: FATAL: password authentication failed for user \\"k3s\\" (SQLSTATE 28P01)',
      );
      expect(wrong).not.toContain('wrong@');
      expect(await words('postgres://k3s:secret@127.0.0.1:1/k3s')).toContain('connection refused');
    });
  },
);
