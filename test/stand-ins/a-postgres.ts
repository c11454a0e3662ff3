/** A real PostgreSQL of Debian on loopback, in a temporary folder, for tests of servers with an external datastore. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../lab/lab.ts';

export interface APostgres {
  /** Returns the endpoint of a database for the account k3s, whose password is `secret` unless it was changed. */
  endpoint(database: string, password?: string): string;
  /** Runs a statement as the owner of PostgreSQL; returns what psql prints. */
  sql(database: string, statement: string): string;
  /** Ends all connections, and starts again, as after an update of the database. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const programs = '/usr/lib/postgresql';

/** The reason to skip a test that needs PostgreSQL; `undefined` if it is installed. */
export const postgresMissing = newestVersion() === undefined ? 'needs postgresql of Debian' : undefined;

function newestVersion(): string | undefined {
  return existsSync(programs) ? readdirSync(programs).sort((a, b) => Number(b) - Number(a))[0] : undefined;
}

/** Starts PostgreSQL. It refuses to run as root, so root starts it as the user of Debian's package. */
export async function aPostgres(): Promise<APostgres> {
  const bin = join(programs, newestVersion() ?? '', 'bin');
  const folder = mkdtempSync(join(tmpdir(), 'slipway-postgres-'));
  const owner = userInfo().uid === 0 ? idsOf('postgres') : undefined;
  if (owner !== undefined) {
    chownSync(folder, owner.uid, owner.gid);
  }
  const data = join(folder, 'data');
  const as = { ...owner, cwd: folder, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' } };
  const initdb = ['-D', data, '-U', 'owner', '--auth-local=trust', '--auth-host=scram-sha-256', '--no-sync'];
  execFileSync(join(bin, 'initdb'), initdb, { ...as, stdio: 'ignore' });
  writeFileSync(join(data, 'postgresql.auto.conf'), 'fsync = off\n');
  const port = await freePort();
  const args = ['-D', data, '-p', `${port}`, '-k', folder, '-h', '127.0.0.1'];
  const started = () => spawn(join(bin, 'postgres'), args, { ...as, stdio: 'ignore' });
  let server = started();
  const sql = (database: string, statement: string) =>
    execFileSync(
      'psql',
      ['-X', '-q', '-A', '-t', '-h', folder, '-p', `${port}`, '-U', 'owner', '-c', statement, database],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
  await untilAnswers(() => sql('postgres', "CREATE ROLE k3s LOGIN CREATEDB PASSWORD 'secret'"));
  return {
    endpoint: (database, password = 'secret') =>
      `postgres://k3s:${password}@127.0.0.1:${port}/${database}?sslmode=disable`,
    sql,
    async restart() {
      await ended(server);
      server = started();
      await untilAnswers(() => sql('postgres', 'SELECT 1'));
    },
    async stop() {
      await ended(server);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ends PostgreSQL with a fast shutdown. */
async function ended(server: ChildProcess): Promise<void> {
  server.kill('SIGINT');
  await once(server, 'exit');
}

function idsOf(user: string): { readonly uid: number; readonly gid: number } {
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8' })),
  );
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

async function untilAnswers(work: () => unknown): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      work();
      return;
    } catch (error) {
      if (attempt > 200) {
        throw error;
      }
      await sleep(100);
    }
  }
}
