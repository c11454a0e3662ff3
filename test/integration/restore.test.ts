import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, type onTestFinished, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { backupMade } from '../../src/agent/parts/backup/made.ts';
import { readRecord } from '../../src/agent/parts/backup/record.ts';
import { keepCopy } from '../../src/agent/parts/k3s/datastore/keep-copy.ts';
import { kineQueries } from '../../src/agent/parts/k3s/datastore/kine.ts';
import { type NodePaths, nodePaths } from '../../src/agent/paths.ts';
import { backupPortsFor } from '../../src/commands/backup-ports.ts';
import { FakeCloud } from '../lab/fake-cloud.ts';
import { kineSql } from '../lab/memory-databases.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { temporaryFolder } from './host/folder.ts';
import { serveTcp } from './host/servers.ts';

const launch = join(import.meta.dirname, '../../src/launcher/launch.ts');
const version = 'v1.36.3+k3s1';

/** A server below a folder, with a real SQLite datastore, a proven copy of it, and stand-ins for systemd's programs. */
interface Server {
  readonly paths: NodePaths;
  /** The path of the copy. */
  readonly copy: string;
  slipway(
    ...args: readonly string[]
  ): Promise<{ readonly exitCode: number; readonly out: string; readonly error: string }>;
  /** Runs the command until its output contains `text`, and then sends `signal`; returns its result. */
  interrupted(text: string, signal: NodeJS.Signals): ReturnType<Server['slipway']>;
}

/**
 * Prints the state of K3s's unit, which `disable`, `enable` and `start` change. K3s ends `ends` times at each start, so
 * that the restore ends without an API. Notes each start of Slipway's unit, which is enabled.
 */
const systemctl = (root: string, ends: number) => `#!/bin/sh
state="${root}/unit-state"
case "$*" in
  show*slipway.service*) printf 'FragmentPath=${root}/x\\nActiveState=inactive\\nUnitFileState=enabled\\n'; exit ;;
  start*slipway.service) echo "$@" >> "${root}/daemon-starts"; exit ;;
esac
case "$1" in
  show)
    [ "$2" = k3s.service ] || exit 0
    echo "FragmentPath=${root}/etc/systemd/system/k3s.service"
    cat "$state"
    printf 'InvocationID=one\\nJob=\\n' ;;
  disable) printf 'ActiveState=inactive\\nUnitFileState=disabled\\nNRestarts=0\\n' > "$state" ;;
  start) printf 'ActiveState=activating\\nUnitFileState=enabled\\nNRestarts=${ends}\\n' > "$state" ;;
esac
`;

async function aServer(whenFinished?: typeof onTestFinished, ends = 3): Promise<Server> {
  const root = await temporaryFolder(whenFinished);
  const paths = nodePaths(root);
  const bin = join(root, 'bin');
  const password = 'swordfish';
  const files: Readonly<Record<string, string>> = {
    [paths.k3s.serverCa]: 'the CA\n',
    [join(paths.k3s.data, 'server/cred/passwd')]: 'passwords\n',
    [paths.k3s.serverToken]: `K10${sha256('the CA\n')}::server:${password}\n`,
    [paths.slipway.joinToken]: `${password}\n`,
    [join(paths.system.units, 'k3s.service')]: 'ExecStart=/usr/local/bin/k3s server\n',
    [join(root, 'unit-state')]: 'ActiveState=active\nUnitFileState=enabled\nNRestarts=0\n',
  };
  const programs: Readonly<Record<string, string>> = {
    [join(bin, 'systemctl')]: systemctl(root, ends),
    [join(bin, 'journalctl')]: `#!/bin/sh\necho 'time="x" level=fatal msg="no datastore for me"'\n`,
    [paths.k3s.binary]: `#!/bin/sh\necho 'k3s version ${version} (1a2b3c4d)'\n`,
  };
  for (const [path, text] of Object.entries({ ...files, ...programs })) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await chmod(path, path in programs ? 0o755 : 0o600);
  }
  const from = await makeDatastore(paths, sha256(password).slice(0, 12));
  const host = nodeHost({ root });
  const to = join(paths.slipway.backup, 'unproven.db');
  const facts = await host.copyDatabase({ from, to, queries: kineQueries, room: 1 });
  await keepCopy(host, paths, facts, { kind: 'sqlite', reason: 'upgrade v1.36.4+k3s1', version });
  const [name = ''] = await readdir(paths.slipway.backup);
  add(from, '/registry/pods/default/newer');
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: root };
  return {
    paths,
    copy: join(paths.slipway.backup, name),
    slipway: (...args) => run([launch, 'restore', '--root', root, ...args], env),
    interrupted(text, signal) {
      const args = ['restore', '--root', root, '--from', join(paths.slipway.backup, name), '--yes'];
      return run([launch, ...args], env, (child, out) => out.includes(text) && child.kill(signal));
    },
  };
}

/**
 * Makes a backup of the server in a folder below its root, as the daemon does, and writes the settings that name the
 * folder. Returns the id of the backup.
 */
async function backUp({ paths }: Server): Promise<string> {
  const { root } = paths;
  const to = join(root, 'store');
  await mkdir(to);
  await mkdir(join(root, 'etc/slipway'), { recursive: true });
  await writeFile(
    join(root, 'etc/slipway/config.yaml'),
    `cloud: static\nstatic: { address: 10.0.0.4 }\nrole: server\nbackup: { to: ${to} }\n`,
  );
  const env = { PATH: `${join(root, 'bin')}:${process.env.PATH}`, HOME: root };
  const host = nodeHost({ root, env });
  const ground = { host, cloud: new FakeCloud() };
  const node = aNode('server', { root, settings: { backup: { to } } });
  const ports = backupPortsFor(node.settings, 'vm-1', ground);
  const resource = backupMade(node, to, ports ?? fail('no store'), []);
  for (;;) {
    const finding = await resource.check(host);
    if (finding.state !== 'Drifted') {
      expect(finding.state).toBe('InSync');
      return (await readRecord(host, paths, to)).proven?.id ?? '';
    }
    await finding.drift.remedy(host);
  }
}

function fail(why: string): never {
  throw new Error(why);
}

async function makeDatastore({ k3s }: NodePaths, digest: string): Promise<string> {
  await mkdir(k3s.datastore, { recursive: true });
  const path = join(k3s.datastore, 'state.db');
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(kineSql([`/bootstrap/${digest}`, '/registry/namespaces/default', '/registry/nodes/vm-1']));
  database.close();
  return path;
}

/** Adds a row to a datastore, as K3s does after the copy. */
function add(path: string, key: string): void {
  const database = new DatabaseSync(path);
  database.exec(`INSERT INTO kine (name, created, deleted) VALUES ('${key}', 1, 0)`);
  database.close();
}

function keysIn(path: string): readonly string[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare("SELECT name FROM kine WHERE name GLOB '/registry/*' ORDER BY id").all();
  database.close();
  return rows.map(({ name }) => String(name));
}

async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onOutput: (child: ChildProcess, out: string) => void = () => {},
) {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', error: '' };
  child.stdout.on('data', (chunk) => {
    said.out += chunk;
    onOutput(child, said.out);
  });
  child.stderr.on('data', (chunk) => (said.error += chunk));
  const exitCode = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return { exitCode, ...said };
}

describe('slipway restore with a real SQLite datastore', () => {
  let refusing: Server;
  let bytes: Buffer;

  beforeAll(async () => {
    refusing = await aServer(afterAll);
    bytes = await readFile(refusing.copy);
  });

  test('with --plan prints the copy and the steps, changes nothing, and ends with 2', async () => {
    const { paths, copy, slipway } = refusing;
    const { exitCode, out, error } = await slipway('--from', copy, '--plan');
    expect([exitCode, error]).toEqual([2, '']);
    expect(out).toContain(`The copy ${copy}\n`);
    expect(out).toContain('2 rows up to revision 3');
    expect(out).toContain('Nothing was changed.\n');
    expect(out).not.toContain('swordfish');
    expect(keysIn(join(paths.k3s.datastore, 'state.db'))).toHaveLength(3);
    expect(await readdir(join(paths.k3s.data, 'server'))).toEqual(['cred', 'db', 'tls', 'token']);
  });

  test('without a terminal needs --yes', async () => {
    const { paths, copy, slipway } = refusing;
    const { exitCode, error } = await slipway('--from', copy);
    expect(exitCode).toBe(1);
    expect(error).toContain('add --yes to do it');
    expect(keysIn(join(paths.k3s.datastore, 'state.db'))).toHaveLength(3);
  });

  test.each([
    ['a damaged copy', () => Buffer.from(bytes).fill(0xff, 4_096, 8_192), /DatabaseDamaged/],
    ['a copy that was cut off', () => bytes.subarray(0, 8_192), /DatabaseDamaged|RestoreRefused/],
  ])('refuses %s, and ends with 1', async (_, damaged, message) => {
    const { paths, copy, slipway } = refusing;
    await writeFile(copy, damaged());
    const { exitCode, error } = await slipway('--from', copy, '--yes');
    expect(exitCode).toBe(1);
    expect(error).toMatch(message);
    expect(await readdir(join(paths.k3s.data, 'server'))).toEqual(['cred', 'db', 'tls', 'token']);
  });

  test('refuses while a peer in the settings answers, accepts one that is off, and shows both in the plan', async () => {
    const { paths, copy, slipway } = await aServer();
    const port = await serveTcp(createServer(), { port: 0, host: '127.0.0.9' });
    const peer = (url: string) => ['--set', `k3s.peers=["${url}"]`];
    const answering = peer(`https://127.0.0.9:${port}`);
    const refused = await slipway('--from', copy, '--yes', ...answering);
    expect(refused).toMatchObject({ exitCode: 1, error: expect.stringContaining(`127.0.0.9:${port}`) });
    expect(refused.error).toMatch(/RestoreRefused: Nothing was changed: .*systemctl disable --now k3s/);
    const planned = await slipway('--from', copy, '--plan', ...answering);
    expect(planned).toMatchObject({ exitCode: 2, error: expect.stringContaining('It would be refused now') });
    const alone = await slipway('--from', copy, '--plan', ...peer('https://127.0.0.8:1'));
    expect(alone).toMatchObject({ exitCode: 2, error: '' });
    expect(await readdir(join(paths.k3s.data, 'server'))).toEqual(['cred', 'db', 'tls', 'token']);
  });

  test('with --reset needs etcd on the disk, and neither --from nor --other-cluster', async () => {
    const { copy, slipway } = refusing;
    const refused = await slipway('--reset', '--yes');
    expect(refused).toMatchObject({ exitCode: 1, error: expect.stringContaining('RestoreRefused') });
    expect(refused.error).toContain('keeps its datastore in SQLite');
    for (const other of [
      ['--from', copy],
      ['--other-cluster', '0123456789ab'],
    ]) {
      expect((await slipway('--reset', ...other)).error).toContain('--reset');
    }
  });

  test('puts the copy in place without a write-ahead log, and shows how to go back if K3s ends at each start', async () => {
    const { paths, copy, slipway } = await aServer();
    const { exitCode, error } = await slipway('--from', copy, '--yes');
    expect(exitCode).toBe(1);
    expect(error).toMatch(/RestoreFailed: .*Its last words: "no datastore for me"\./);
    const { datastore } = paths.k3s;
    expect(await readdir(datastore)).toEqual(['state.db']);
    expect(((await stat(join(datastore, 'state.db'))).mode & 0o777).toString(8)).toBe('600');
    expect(((await stat(datastore)).mode & 0o777).toString(8)).toBe('700');
    expect(keysIn(join(datastore, 'state.db'))).toEqual([
      '/registry/namespaces/default',
      '/registry/nodes/vm-1',
    ]);
    const server = await readdir(dirname(datastore));
    const [aside = ''] = server.filter((name) => name.startsWith('db.before-restore-'));
    expect(keysIn(join(dirname(datastore), aside, 'state.db'))).toHaveLength(3);
    expect(server.some((name) => name.startsWith('tls.before-restore-'))).toBe(true);
    expect(server).not.toContain('tls');
    const back = /To go back to what was there before: (.*)\.$/m.exec(error)?.[1] ?? '';
    expect(back).toContain(`mv ${join(dirname(datastore), aside)} ${datastore}`);
    expect(await readFile(paths.slipway.restore, 'utf8')).toContain('"format": 1');
  });

  test('restores a backup by its id from a folder, after it has listed it', async () => {
    const server = await aServer();
    const { paths, slipway } = server;
    const id = await backUp(server);
    add(join(paths.k3s.datastore, 'state.db'), '/registry/pods/default/newest');
    expect(await slipway()).toMatchObject({ exitCode: 0, out: expect.stringContaining(`${id}  `) });
    const planned = await slipway('--from', id, '--plan');
    expect(planned).toMatchObject({ exitCode: 2, error: '' });
    expect(planned.out).toContain('as a backup by schedule');
    await expect(readdir(paths.slipway.fetched)).rejects.toThrow('ENOENT');
    expect((await slipway('--from', id)).error).toContain('add --yes to do it');
    await expect(readdir(paths.slipway.fetched)).rejects.toThrow('ENOENT');
    const { exitCode, error } = await slipway('--from', id, '--yes');
    expect(exitCode).toBe(1);
    expect(error).toContain('RestoreFailed');
    await rm(join(paths.root, 'store'), { recursive: true });
    expect((await slipway('--from', id, '--yes')).error).toContain('RestoreFailed');
    expect(keysIn(join(paths.k3s.datastore, 'state.db'))).toEqual([
      ...['/registry/namespaces/default', '/registry/nodes/vm-1', '/registry/pods/default/newer'],
    ]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'starts Slipway again after %s while it waits for the API, and names the command that continues',
    async (signal) => {
      const { paths, copy, interrupted, slipway } = await aServer(undefined, 0);
      const { exitCode, error } = await interrupted('\nstart k3s.service', signal);
      expect(exitCode).toBe(1);
      expect(error).toMatch(/^slipway: Interrupted: /);
      expect(error).toContain(`To continue: slipway restore --from ${copy}`);
      const starts = () => readFile(join(paths.root, 'daemon-starts'), 'utf8');
      expect(await starts()).toBe('start --no-block slipway.service\n');
      expect(await readFile(paths.slipway.restore, 'utf8')).toContain(copy);
      expect((await slipway('--from', copy, '--plan')).exitCode).toBe(2);
    },
  );
});
