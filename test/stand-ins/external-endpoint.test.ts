/**
 * Tests the page about external datastores, and the endpoint that Slipway writes, on a real PostgreSQL. K3s is the
 * stand-in, whose server is PostgreSQL's own.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clouds } from '../../src/agent/clouds/index.ts';
import { Secret } from '../../src/agent/engine/secret.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { renderEndpoint } from '../../src/agent/parts/k3s/config/endpoint-text.ts';
import { datastoreProbes } from '../../src/agent/parts/k3s/datastore-probe.ts';
import { findCause } from '../../src/agent/parts/k3s/service/journal/find-cause.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { openKine } from '../lab/standins/k3s-kine.ts';
import { connectSql } from '../lab/standins/k3s-sql.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { type ACluster, aCluster, type StartedServer } from './a-cluster.ts';
import { type APostgres, aPostgres, postgresMissing } from './a-postgres.ts';

const page = readFileSync(new URL('../../docs/usage/datastore.md', import.meta.url), 'utf8');
const { hints } = clouds.static;

/** Returns a statement of the page for the role `fleet`, since the PostgreSQL of the tests has a role k3s already. */
function ofPage(pattern: RegExp, password: string): string {
  const [statement = ''] = pattern.exec(page) ?? [];
  expect(statement).not.toBe('');
  return statement
    .replaceAll(/\bk3s/g, 'fleet')
    .replaceAll("'PASSWORD'", `'${password}'`)
    .replaceAll("'NEW'", `'${password}'`);
}

const skipped = postgresMissing === undefined ? '' : ` (skipped: ${postgresMissing})`;

describe.skipIf(postgresMissing !== undefined)(`an external datastore on PostgreSQL${skipped}`, () => {
  let postgres: APostgres;
  let cluster: ACluster;

  beforeAll(async () => {
    [postgres, cluster] = await Promise.all([aPostgres(), aCluster()]);
    postgres.sql('postgres', ofPage(/CREATE ROLE k3s LOGIN PASSWORD 'PASSWORD';/, 'first'));
    postgres.sql('postgres', ofPage(/CREATE DATABASE k3s OWNER k3s;/, ''));
  });
  afterAll(async () => {
    await cluster.end();
    await postgres.stop();
  });

  function endpoint(password: string, { user = 'fleet', database = 'fleet' } = {}): URL {
    const url = new URL(postgres.endpoint(database));
    url.username = user;
    url.password = password;
    return url;
  }

  /** Writes the drop-in with an endpoint, as Slipway does. */
  function give({ root }: Pick<StartedServer, 'root'>, url: URL): void {
    const path = nodePaths(root).k3s.datastoreEndpoint;
    mkdirSync(dirname(path), { recursive: true });
    const content = renderEndpoint(aNode('server'), new Secret(url.href));
    writeFileSync(path, content.reveal(), { mode: 0o600 });
  }

  /** Returns the cause that Slipway finds in the log of a K3s whose Kine fails with this message. */
  function causeOf(message: string) {
    const line = `time="2026-08-01T10:00:00Z" level=error msg=${JSON.stringify(`Failed to ping database connection: ${message}`)}`;
    return findCause(line, 'server', hints);
  }

  async function refusal(url: URL): Promise<string> {
    return connectSql(url).then(
      () => expect.fail('the connection is accepted'),
      ({ message }) => message,
    );
  }

  test('the role of the page may do what Kine does in its database', async () => {
    await expect(openKine(endpoint('first').href)).resolves.toBeDefined();
  });

  test.each([
    ['a wrong password', () => endpoint('wrong'), 'DatastoreDenied'],
    ['a missing database', () => endpoint('first', { database: 'none' }), 'DatastoreDenied'],
    ['a closed port', () => new URL('postgres://fleet:first@127.0.0.1:1/fleet'), 'DatastoreUnreachable'],
  ])('%s is recognised by the words of PostgreSQL', async (_, url, reason) => {
    const cause = causeOf(await refusal(url()));
    expect(cause?.reason).toBe(reason);
    expect(cause?.message).not.toContain('first');
  });

  test('a database of another owner is recognised by the words of PostgreSQL', async () => {
    postgres.sql('postgres', 'CREATE DATABASE foreign_one');
    const sql = await connectSql(endpoint('first', { database: 'foreign_one' }));
    const message = await sql.run('CREATE TABLE kine (id INT)').then(
      () => expect.fail('the table is created'),
      (thrown) => thrown.message,
    );
    sql.close();
    expect(causeOf(message)?.reason).toBe('DatastoreDenied');
  });

  test('the doctor reaches the server of the database, and warns that the endpoint does not ask for TLS', async () => {
    const { root } = await cluster.server('doctor');
    give({ root }, endpoint('first'));
    const node = aNode('server', { root, settings: { k3s: { datastore: 'external' } } });
    const look = () => datastoreProbes(nodeHost({ root }), node, hints)[0]?.look();
    expect(await look()).toMatchObject({ level: 'warning', message: expect.stringContaining('accepts') });
    give({ root }, new URL('postgres://fleet:first@127.0.0.1:1/fleet'));
    expect(await look()).toMatchObject({ level: 'failure' });
  });

  test('two servers start from the file that Slipway writes, also after a change of the password', async () => {
    const [a, b] = await Promise.all([cluster.server('a'), cluster.server('b')]);
    for (const server of [a, b]) {
      server.configure({});
      give(server, endpoint('first'));
      await server.up();
    }
    expect(b.data('tls/server-ca.crt')).toBe(a.data('tls/server-ca.crt'));
    postgres.sql('postgres', ofPage(/ALTER ROLE k3s PASSWORD 'NEW';/, 'second'));
    await b.stop();
    const failed = await b.run('server');
    expect(findCause(failed.stderr, 'server', hints)?.reason).toBe('DatastoreDenied');
    for (const server of [b, a]) {
      await server.stop();
      give(server, endpoint('second'));
      await server.up();
    }
    expect(b.data('tls/server-ca.crt')).toBe(a.data('tls/server-ca.crt'));
    await Promise.all([a.stop(), b.stop()]);
  });

  test('the second user of the page shares the tables of the first one', async () => {
    postgres.sql('postgres', ofPage(/CREATE ROLE k3s2 LOGIN PASSWORD\s+'NEW' IN ROLE k3s;/, 'third'));
    postgres.sql('postgres', ofPage(/ALTER ROLE k3s2 SET ROLE k3s;/, ''));
    const sql = await connectSql(endpoint('third', { user: 'fleet2' }));
    await sql.run("INSERT INTO kine (name, created, deleted) VALUES ('/registry/x', 1, 0)");
    await sql.run('CREATE INDEX IF NOT EXISTS another ON kine (lease)');
    sql.close();
    expect(postgres.sql('fleet', "SELECT indexdef FROM pg_indexes WHERE indexname = 'another'")).not.toBe('');
    expect(postgres.sql('fleet', "SELECT tableowner FROM pg_tables WHERE tablename = 'kine'")).toBe(
      'fleet\n',
    );
  });

  test('a dump as on the page, loaded into an empty database, has the same rows', async () => {
    const { root } = await cluster.server('dump');
    const dump = join(root, 'k3s.dump');
    const run = (words: RegExp, url: URL) => {
      const [line = ''] = words.exec(page) ?? [];
      const [program = '', ...args] = line
        .replace(/'postgres:\/\/[^']*'/, url.href)
        .replace('k3s.dump', dump)
        .split(' ');
      execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    };
    const user = { user: 'fleet2' };
    run(/^pg_dump .*$/m, endpoint('third', user));
    postgres.sql('postgres', 'CREATE DATABASE restored OWNER fleet');
    run(/^pg_restore .*$/m, endpoint('third', { ...user, database: 'restored' }));
    const rows = 'SELECT count(*), max(id) FROM kine';
    expect(postgres.sql('restored', rows)).toBe(postgres.sql('fleet', rows));
  });
});
