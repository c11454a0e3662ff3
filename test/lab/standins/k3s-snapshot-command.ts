/**
 * `k3s etcd-snapshot save|ls|delete|prune`, which asks the running server.
 *
 * Models pkg/cli/cmds/etcd_snapshot.go (flags), pkg/cli/etcdsnapshot/etcd_snapshot.go (the request, what is printed)
 * and pkg/clientaccess (errors of the connection). `save` never prunes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { exchange, statusLine } from './k3s-http.ts';
import { fatal, log } from './k3s-log.ts';
import { parseToken } from './k3s-token.ts';

const text = { type: 'string' } as const;
const flags = {
  'data-dir': { ...text, short: 'd' },
  dir: text,
  'etcd-snapshot-dir': text,
  'etcd-server': { ...text, short: 's' },
  'etcd-token': { ...text, short: 't' },
  name: text,
  'node-name': text,
  output: { ...text, short: 'o' },
  'snapshot-compress': { type: 'boolean' },
  'etcd-snapshot-compress': { type: 'boolean' },
  'snapshot-retention': text,
  'etcd-snapshot-retention': text,
} as const;

interface SnapshotFile {
  readonly spec: { readonly snapshotName: string; readonly location: string };
  readonly status: { readonly size: string; readonly creationTime: string };
}

/** Runs one subcommand on the server whose data is in `defaultDir`, unless a flag names another folder. */
export async function snapshotCommand(args: readonly string[], defaultDir: string): Promise<void> {
  const [command = '', ...rest] = args;
  const { values, positionals } = parsed(rest);
  const dir = values.dir ?? values['etcd-snapshot-dir'];
  const retention = values['snapshot-retention'] ?? values['etcd-snapshot-retention'];
  const isCompressed = values['snapshot-compress'] ?? values['etcd-snapshot-compress'];
  const request = {
    ...(dir !== undefined && { dir }),
    ...(isCompressed && { compress: true }),
    retention: command === 'save' ? 0 : Number(retention ?? 5),
  };
  const send = (operation: string, more: object = {}) =>
    post(values, join(values['data-dir'] ?? defaultDir, 'server'), { operation, ...request, ...more });
  const name = [values.name ?? 'on-demand'];
  switch (command) {
    case 'save':
      return report((await send('save', { name })).created, 'saved');
    case 'prune':
      return report((await send('prune', { name })).deleted, 'deleted');
    case 'ls':
    case 'list':
      return print(await send('list'), values.output ?? 'table');
    case 'delete': {
      if (positionals.length === 0) {
        return fatal('Error: no snapshots given for removal');
      }
      const { deleted = [] } = await send('delete', { name: positionals });
      report(deleted, 'deleted');
      for (const missing of positionals.filter((one) => !deleted.includes(one))) {
        log('warning', `Snapshot ${missing} not found.`);
      }
      return;
    }
    default:
      return fatal(`Error: no such snapshot command: ${command}`);
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, allowPositionals: true });
  } catch (error) {
    const flag = /'--?([^ '=]+)/.exec(String(error))?.[1];
    process.stdout.write(`Incorrect Usage: flag provided but not defined: -${flag}\n\n`);
    return fatal(`Error: flag provided but not defined: -${flag}`);
  }
}

interface Result {
  readonly created?: readonly string[];
  readonly deleted?: readonly string[];
  readonly items?: readonly SnapshotFile[];
}

async function post(
  values: Readonly<Record<string, unknown>>,
  directory: string,
  request: object,
): Promise<Result> {
  const server = String(values['etcd-server'] ?? 'https://127.0.0.1:6443');
  const token = String(values['etcd-token'] ?? readOrDie(join(directory, 'token')));
  const { password } = parseToken(token.trim());
  const authorization = `Basic ${Buffer.from(`server:${password}`).toString('base64')}`;
  await exchange({ url: `${server}/cacerts` }).catch((error) =>
    fatal(`Error: failed to get CA certs: ${error.message}`),
  );
  const url = `${server}/db/snapshot`;
  const body = JSON.stringify(request);
  const answer = await exchange({ url, method: 'POST', headers: { authorization }, body, timeout: 120_000 });
  if (answer.status !== 200) {
    const shown = `${url}: ${statusLine(answer.status) || answer.status}`;
    fatal(
      `Error: see server log for details: ${answer.status === 500 ? `${url}: 500 Internal Server Error` : shown}`,
    );
  }
  return JSON.parse(answer.body);
}

function readOrDie(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fatal(`Error: open ${path}: no such file or directory`);
  }
}

function report(names: readonly string[] = [], what: 'saved' | 'deleted'): void {
  for (const name of names) {
    log('info', `Snapshot ${name} ${what}.`);
  }
}

function print(list: Result, format: string): void {
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify(list)}\n`);
  } else if (format === 'yaml') {
    process.stdout.write(stringify(list));
  } else {
    const rows = (list.items ?? []).map(({ spec, status }) => [
      spec.snapshotName,
      spec.location,
      status.size,
      status.creationTime,
    ]);
    const table = [['Name', 'Location', 'Size', 'Created'], ...rows];
    const width = (column: number) => Math.max(...table.map((row) => row[column]?.length ?? 0)) + 1;
    for (const row of table) {
      process.stdout.write(`${row.map((cell, at) => (at === 3 ? cell : cell.padEnd(width(at)))).join('')}\n`);
    }
  }
}
