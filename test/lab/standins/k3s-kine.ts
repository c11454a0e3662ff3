/**
 * The keys of a cluster in a real PostgreSQL.
 *
 * Models k3s-io/kine pkg/drivers/pgsql (the table `kine` with its indexes, the database that is made if it is missing),
 * pkg/logstructured/sqllog (a revision is a row; the unique index of name and previous revision lets one of two
 * concurrent changes win; a poll each second finds the changes of other servers). Not modelled: compaction, leases.
 */
import { log } from './k3s-log.ts';
import { connectSql, reconnecting, type Sql } from './k3s-sql.ts';
import type { Change, Entry, KeyStore, Wish, Written } from './k3s-store.ts';

const schema = [
  `CREATE TABLE IF NOT EXISTS kine (id BIGSERIAL PRIMARY KEY, name TEXT COLLATE "C", created INTEGER, deleted INTEGER,
    create_revision BIGINT, prev_revision BIGINT, lease INTEGER, value BYTEA, old_value BYTEA)`,
  'CREATE INDEX IF NOT EXISTS kine_name_index ON kine (name)',
  'CREATE INDEX IF NOT EXISTS kine_name_id_index ON kine (name, id)',
  'CREATE INDEX IF NOT EXISTS kine_id_deleted_index ON kine (id, deleted)',
  'CREATE INDEX IF NOT EXISTS kine_prev_revision_index ON kine (prev_revision)',
  'CREATE UNIQUE INDEX IF NOT EXISTS kine_name_prev_revision_uindex ON kine (name, prev_revision)',
];

/** The keys of PostgreSQL's advisory locks: of a change, so that rows appear in order, and of the leading server. */
const locks = { change: 6_443_001, leader: 6_443_002 };

/** Opens the database at an endpoint; makes the database and its table. Rejects with kine's error. */
export async function openKine(endpoint: string): Promise<KeyStore> {
  const url = new URL(endpoint);
  if (url.pathname.length < 2) {
    url.pathname = '/kubernetes';
  }
  const sql = await connectSql(url).catch(async (error: Error) => {
    if (!error.message.includes('SQLSTATE 3D000')) {
      throw error;
    }
    await createDatabase(url);
    return connectSql(url);
  });
  log('info', 'Configuring database table schema and indexes, this may take a moment...');
  await sql.run(`SELECT pg_advisory_lock(${locks.change});${schema.join(';')}`);
  await sql.run(`SELECT pg_advisory_unlock(${locks.change})`);
  log('info', 'Database tables and indexes are up to date');
  return keysIn(reconnecting(sql, url), reconnecting(await connectSql(url), url));
}

async function createDatabase(url: URL): Promise<void> {
  const server = new URL(url);
  server.pathname = '/postgres';
  const sql = await connectSql(server);
  // Another server may create it at the same time.
  await sql.run(`CREATE DATABASE "${url.pathname.slice(1)}"`).catch(() => undefined);
  sql.close();
}

const columns = "id, name, deleted, encode(value, 'hex')";

function keysIn(sql: Sql, leading: Sql): KeyStore {
  const poller: Poller = { wake: () => undefined, last: 0 };
  const revision = async () => {
    const newest = Number((await sql.run('SELECT COALESCE(max(id), 0) FROM kine'))[0]?.[0]);
    if (newest > poller.last) {
      poller.wake();
    }
    return newest;
  };
  return {
    async load(prefix) {
      const newest = await revision();
      const rows = await sql.run(
        `SELECT ${columns} FROM (SELECT DISTINCT ON (name) * FROM kine WHERE name LIKE ${quoted(`${escaped(prefix)}%`)}
          AND id <= ${newest} ORDER BY name, id DESC) AS newest WHERE deleted = 0`,
      );
      return { revision: newest, entries: rows.map(entryOf) };
    },
    revision,
    write: (wish) => write(sql, wish),
    follow: (after, seen) => void poll(sql, poller, after, seen),
    async leads() {
      const [[isHeld] = []] = await leading.run(`SELECT pg_try_advisory_lock(${locks.leader})`);
      return isHeld === 't';
    },
  };
}

async function write(sql: Sql, { key, value, base }: Wish): Promise<Written> {
  const name = quoted(key);
  const bytes = `decode('${Buffer.from(value ?? '').toString('hex')}', 'hex')`;
  const newest = `SELECT * FROM kine WHERE name = ${name} ORDER BY id DESC LIMIT 1`;
  const target =
    'INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease, value, old_value)';
  const change =
    base === 0
      ? `SELECT ${name}, 1, 0, 0, COALESCE((SELECT id FROM (${newest}) AS n), 0), 0, ${bytes}, NULL
          WHERE NOT EXISTS (SELECT 1 FROM (${newest}) AS n WHERE deleted = 0)`
      : `SELECT ${name}, 0, ${value === undefined ? 1 : 0}, create_revision, id, 0,
          ${value === undefined ? 'value' : bytes}, value FROM (${newest}) AS n WHERE id = ${base} AND deleted = 0`;
  const [row] = await sql.run(
    `BEGIN; SELECT pg_advisory_xact_lock(${locks.change}) \\g /dev/null
     ${target} ${change} ON CONFLICT DO NOTHING RETURNING id; COMMIT`,
  );
  if (row !== undefined) {
    return { revision: Number(row[0]) };
  }
  const [found] = await sql.run(`SELECT ${columns} FROM (${newest}) AS n WHERE deleted = 0`);
  return { conflict: found === undefined ? undefined : entryOf(found) };
}

/** What wakes a poll before its second has passed, and the last row that it has seen. */
interface Poller {
  wake: () => void;
  last: number;
}

/** Looks for new rows each second, as kine does, and as soon as a request needs a newer one. */
async function poll(
  sql: Sql,
  poller: Poller,
  after: number,
  seen: (changes: readonly Change[], revision: number) => void,
): Promise<never> {
  poller.last = after;
  for (;;) {
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, 1_000);
      poller.wake = () => {
        clearTimeout(patience);
        resolve();
      };
    });
    const query = `SELECT ${columns} FROM kine WHERE id > ${poller.last} ORDER BY id LIMIT 500`;
    const rows = await sql.run(query).catch(() => []);
    poller.last = Number(rows.at(-1)?.[0] ?? poller.last);
    seen(rows.map(changeOf), poller.last);
  }
}

function entryOf([id, key = '', , value = '']: readonly string[]): Entry {
  return { key, value: Buffer.from(value, 'hex').toString(), revision: Number(id) };
}

function changeOf(row: readonly string[]): Change {
  return row[2] === '1' ? { ...entryOf(row), value: undefined } : entryOf(row);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function escaped(prefix: string): string {
  return prefix.replaceAll(/[\\%_]/g, '\\$&');
}
