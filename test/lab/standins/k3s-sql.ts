/** A connection to a real PostgreSQL, through Debian's psql: one process, one statement after the other. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** An open connection. */
export interface Sql {
  /** Resolves to the rows of the last statement, each as its fields; rejects with the message of the server. */
  run(statements: string): Promise<readonly (readonly string[])[]>;
  close(): void;
  /** False once the connection has ended, as after a restart of the database. */
  isOpen(): boolean;
}

/** Returns a connection that opens again when it is next used after it has ended. */
export function reconnecting(first: Sql, url: URL): Sql {
  let current = first;
  return {
    async run(statements) {
      current = current.isOpen() ? current : await connectSql(url);
      return current.run(statements);
    },
    close: () => current.close(),
    isOpen: () => true,
  };
}

const separator = '\x1f';

/**
 * Opens a connection to the database at a URL such as postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE; rejects
 * with the words of pgx, as kine does. The password is in the environment of psql, not among its arguments.
 */
export async function connectSql(url: URL): Promise<Sql> {
  const user = decodeURIComponent(url.username);
  const database = decodeURIComponent(url.pathname.slice(1));
  const args = ['-X', '-q', '-A', '-t', '-w', '-F', separator, '-v', 'ON_ERROR_STOP=0'];
  const child = spawn('psql', args, {
    env: {
      PATH: process.env.PATH,
      PGHOST: url.hostname,
      PGPORT: url.port || '5432',
      PGUSER: user,
      PGPASSWORD: decodeURIComponent(url.password),
      PGDATABASE: database,
      PGSSLMODE: url.searchParams.get('sslmode') ?? 'prefer',
      PGAPPNAME: 'kine',
    },
  });
  const sql = overPipes(child);
  await sql.run('SELECT 1').catch((error: Error) => {
    throw new Error(
      `failed to connect to \`user=${user} database=${database}\`: ${url.hostname}:${url.port || '5432'} (${url.hostname}): ${inWordsOfPgx(error.message)}`,
    );
  });
  return sql;
}

function inWordsOfPgx(message: string): string {
  const [, refusal = ''] = /FATAL: +(.*)/.exec(message) ?? [];
  if (/password authentication failed/.test(refusal)) {
    return `failed SASL auth: FATAL: ${refusal} (SQLSTATE 28P01)`;
  }
  if (/does not exist/.test(refusal)) {
    return `server error: FATAL: ${refusal} (SQLSTATE 3D000)`;
  }
  return /Connection refused/.test(message) ? 'dial error: connect: connection refused' : refusal || message;
}

interface Waiting {
  readonly mark: string;
  readonly resolve: (rows: readonly (readonly string[])[]) => void;
  readonly reject: (error: Error) => void;
}

function overPipes(child: ChildProcess): Sql {
  const waiting: Waiting[] = [];
  let out = '';
  let errors = '';
  let ended = false;
  child.on('error', (error) => {
    errors += error.message;
  });
  child.stderr?.on('data', (chunk) => {
    errors = (errors + chunk).slice(-2_000);
  });
  child.stdout?.on('data', (chunk) => {
    out += chunk;
    for (let next = waiting[0]; next && out.includes(`${next.mark}\n`); next = waiting[0]) {
      const [text = '', ...rest] = out.split(`${next.mark}\n`);
      out = rest.join(`${next.mark}\n`);
      waiting.shift();
      const [, error] = /^failed (.*)$/m.exec(text) ?? [];
      if (error === undefined) {
        next.resolve(
          text
            .split('\n')
            .filter(Boolean)
            .map((line) => line.split(separator)),
        );
      } else {
        next.reject(new Error(error));
      }
    }
  });
  child.on('close', () => {
    ended = true;
    for (const { reject } of waiting.splice(0)) {
      reject(new Error(errors.trim() || 'the connection has ended'));
    }
  });
  child.stdin?.on('error', () => undefined);
  return {
    run(statements) {
      const mark = `done ${randomBytes(6).toString('hex')}`;
      return new Promise((resolve, reject) => {
        if (ended) {
          reject(new Error('the connection has ended'));
          return;
        }
        waiting.push({ mark, resolve, reject });
        const failed = '\\if :ERROR\n\\echo failed :LAST_ERROR_MESSAGE\nROLLBACK;\n\\endif\n';
        child.stdin?.write(`${statements};\n${failed}\\echo ${mark}\n`);
      });
    },
    close: () => child.kill('SIGKILL'),
    isOpen: () => !ended,
  };
}
