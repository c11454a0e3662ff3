/**
 * Tests that a server of the stand-in keeps its cluster in a real SQLite file, and starts with one that was restored.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exchange } from '../lab/standins/k3s-http.ts';
import { type ACluster, aCluster, type StartedServer } from './a-cluster.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

let cluster: ACluster;
let server: StartedServer;

beforeEach(async () => {
  cluster = await aCluster();
  server = await cluster.server('a');
  server.configure({});
});
afterEach(() => cluster.end());

const data = (...path: readonly string[]) => join(server.root, 'var/lib/rancher/k3s/server', ...path);

/** Returns the names of the living keys in the file. */
function keys(): readonly string[] {
  const database = new DatabaseSync(data('db/state.db'), { readOnly: true });
  try {
    const rows = database
      .prepare('SELECT name FROM kine WHERE id IN (SELECT max(id) FROM kine GROUP BY name) AND deleted = 0')
      .all();
    return rows.map(({ name }) => String(name));
  } finally {
    database.close();
  }
}

/** Copies the database while K3s is stopped; returns a function that puts the copy in place of what is there. */
async function copied(): Promise<() => void> {
  await server.stop();
  const copy = join(server.root, 'copy');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  for (const name of readdirSync(data('db')).filter((one) => one.startsWith('state.db'))) {
    cpSync(data('db', name), join(copy, name));
  }
  return () => {
    renameSync(data('db'), data(`db.aside-${Date.now()}`));
    renameSync(copy, data('db'));
  };
}

test('a server stores objects and bootstrap data in state.db, and removes deleted objects', async () => {
  await server.up();
  await server.api('POST', maps, map('kept'));
  await server.api('POST', maps, map('gone'));
  await server.api('DELETE', `${maps}/gone`);
  expect(keys()).toEqual(
    expect.arrayContaining([
      '/registry/configmaps/default/kept',
      expect.stringMatching(/^\/bootstrap\/[0-9a-f]{12}$/),
    ]),
  );
  expect(keys()).not.toContain('/registry/configmaps/default/gone');
});

test('a restored state.db brings back its objects, on the same disk and on an empty one', async () => {
  await server.up();
  await server.api('POST', maps, map('before'));
  const ca = server.data('tls/server-ca.crt');
  const restore = await copied();
  await server.up();
  await server.api('POST', maps, map('after'));
  await server.stop();
  restore();
  await server.up();
  expect((await server.api('GET', `${maps}/before`)).status).toBe(200);
  expect((await server.api('GET', `${maps}/after`)).status).toBe(404);
  const again = await copied();
  rmSync(data(), { recursive: true });
  mkdirSync(data('db'), { recursive: true });
  again();
  await server.up();
  expect(server.data('tls/server-ca.crt')).toBe(ca);
  expect((await server.api('GET', `${maps}/before`)).status).toBe(200);
});

test('a restored state.db of another token stops a server, which without a token makes other certificates first', async () => {
  await server.up();
  const restore = await copied();
  rmSync(data(), { recursive: true });
  mkdirSync(data('db'), { recursive: true });
  restore();
  server.configure({ token: undefined });
  expect((await server.run('server')).stderr).toContain(
    'failed to save bootstrap data: bootstrap data already found',
  );
  server.configure({ token: 'another' });
  const wrong = await server.run('server');
  expect(wrong.stderr).toContain(
    'failed to bootstrap cluster data: bootstrap data already found and encrypted with',
  );
  server.configure({});
  rmSync(data('tls'), { recursive: true });
  await server.up();
  expect(existsSync(data('db/bootstrap.json'))).toBe(true);
});

test('a rotation of the token replaces the bootstrap data', async () => {
  await server.up();
  const [before] = keys().filter((name) => name.startsWith('/bootstrap/'));
  const headers = { authorization: `Basic ${btoa('server:secret')}` };
  const body = JSON.stringify({ newToken: 'second' });
  const { status } = await exchange({ url: `${server.url}/v1-k3s/token`, method: 'PUT', headers, body });
  expect(status).toBe(200);
  const after = keys().filter((name) => name.startsWith('/bootstrap/'));
  expect(after).toHaveLength(1);
  expect(after).not.toContain(before);
});
