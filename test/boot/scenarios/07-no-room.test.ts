import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BootedHost, eventually } from '../booted-host.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { told } from '../judge.ts';
import { look, ownedFiles, startNote } from '../owned-files.ts';

/** The lifetime of a password in milliseconds; a credential is due for renewal after two thirds of its lifetime. */
const passwordLife = 36_000;
const registriesYaml = '/etc/rancher/k3s/registries.yaml';
const store = '/var/lib/slipway/logins.json';
const rotating = [store, registriesYaml];
/** K3s's configuration file, which names the agent token's file only once that file exists. */
const config = '/etc/rancher/k3s/config.yaml';
/** The files on disk that Slipway owns and whose content stays constant. Another test covers the files in memory. */
const onDisk = ownedFiles()
  .map(({ path }) => path)
  .filter(
    (path) => !path.startsWith('/run/') && ![...rotating, config].includes(path) && !startNote.test(path),
  );

let cluster: Cluster;
let server: BootedHost;

beforeAll(async () => {
  cluster = await startCluster({ hosts: ['server'], passwordLife });
  server = cluster.host('server');
  giveK3sItsOwnDisk();
});

afterAll(() => cluster?.stop());

test('a node reports a full disk during its first boot, writes no partial file, and continues once the disk has room', async () => {
  server.leaveRoom(0);
  await cluster.powerOn();
  await saysFull('System', '/etc/modules-load.d/slipway-k3s.conf');
  const without = look(server, onDisk);
  server.leaveRoom(64 * 1024);
  await eventually('the small files', () => server.has('/etc/modules-load.d/slipway-k3s.conf'));
  await saysFull('K3sBinary', '/usr/local/bin/k3s');
  const half = look(server, onDisk);
  const begun = linesOf(config);
  await isActive();
  server.leaveRoom();
  await cluster.ready();
  expect(await server.show('k3s.service', 'NRestarts')).toEqual({ NRestarts: '0' });
  const whole = look(server, onDisk);
  for (const seen of [without, half]) {
    expect(whole).toMatchObject(present(seen));
  }
  expect(linesOf(config)).toEqual(expect.arrayContaining([...begun]));
  expect(Object.keys(present(half)).length).toBeGreaterThan(Object.keys(present(without)).length);
  await hasNoLeftovers();
});

test('a rotation on a full disk leaves the old credential intact, and succeeds once the disk has room', async () => {
  server.leaveRoom(0);
  const old = server.read(registriesYaml);
  await saysFull('Registries', store);
  expect(server.read(registriesYaml)).toBe(old);
  expect(server.condition('K3sRunning')?.status).toBe('True');
  expect(server.condition('NodeReady')?.status).toBe('True');
  server.leaveRoom();
  await eventually('the next credential', renewed());
  const since = Date.now();
  await eventually('the node to be Ready', () => server.isReady(since));
  await hasNoLeftovers();
});

describe.each([
  { trouble: 'full', reason: 'DiskFull', errno: 'ENOSPC', begin: fill, end: () => server.leaveRoom() },
  { trouble: 'read-only', reason: 'ReadOnly', errno: 'EROFS', begin: freeze, end: thaw },
])('a disk that is $trouble', ({ reason, errno, begin, end }) => {
  test('is reported by every part that writes files, and each file is restored afterwards', async () => {
    const [before, k3sStart] = [look(server, onDisk), await server.k3sStart()];
    await server.ask('systemctl', 'stop', 'slipway');
    const paths = Object.keys(present(before)).filter((path) => !path.endsWith('/flux'));
    for (const path of [...paths, ...rotating]) {
      rmSync(server.path(path));
    }
    await begin();
    await server.ask('systemctl', 'start', 'slipway');
    for (const type of ['System', 'K3sConfig', 'JoinToken', 'Registries', 'CredentialProvider']) {
      expect((await told(server, type, reason)).message).toMatch(
        new RegExp(`Cannot .* /\\S+: .*\\(${errno}\\)`),
      );
    }
    expect(look(server, paths)).toEqual(Object.fromEntries(paths.map((path) => [path, undefined])));
    await isActive();
    await end();
    const since = Date.now();
    await server.reload();
    await eventually('the node to be Ready', () => server.isReady(since));
    expect(look(server, onDisk)).toEqual(before);
    expect(await server.k3sStart(), 'K3s goes on').toBe(k3sStart);
    await hasNoLeftovers();
  });
});

test('a full /run does not stop the daemon, and the old status stays complete until the next one is written', async () => {
  await eventually('a /run without room', hasShrunkRun);
  const old = server.read('/run/slipway/status.json');
  const since = Date.now();
  await server.reload();
  await eventually('a warning', async () =>
    (await server.journal('-u', 'slipway.service')).some(
      ({ message, time }) =>
        time > since && /Cannot write \/run\/slipway\/status\.json: .*ENOSPC/.test(message),
    ),
  );
  expect(server.read('/run/slipway/status.json')).toBe(old);
  await isActive();
  await server.ask('mount', '-o', 'remount,size=50m', '/run');
  await eventually('the next status', () => server.isReady(since));
  await hasNoLeftovers();
});

/**
 * Shrinks /run until it has no free space. Resolves to false if the kernel refuses because other processes wrote to
 * /run after the measurement.
 */
async function hasShrunkRun(): Promise<boolean> {
  const [, used] = (await server.ask('df', '--output=used', '-B1', '/run')).split('\n');
  return (await server.run('mount', '-o', `remount,size=${used}`, '/run')).exitCode === 0;
}

/** Gives K3s a separate disk, since the behaviour of K3s on a full disk is not tested here. */
function giveK3sItsOwnDisk(): void {
  const [data, git] = ['/var/lib/rancher/k3s', '/var/lib/rancher/k3s/server/db/git-token.sha256'];
  const digest = server.read(git) ?? '';
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', server.path(data)]);
  server.write(git, digest);
}

/** Returns the lines of a file of the server; one empty line if the file does not exist. */
function linesOf(path: string): readonly string[] {
  return (server.read(path) ?? '').split('\n');
}

async function saysFull(type: string, path: string): Promise<void> {
  const { message } = await told(server, type, 'DiskFull');
  expect(message).toContain(`${path}: no room is left on its device (ENOSPC)`);
}

async function isActive(): Promise<void> {
  const { ActiveState, NRestarts } = await server.show('slipway.service', 'ActiveState', 'NRestarts');
  expect({ ActiveState, NRestarts }).toEqual({ ActiveState: 'active', NRestarts: '0' });
}

async function fill(): Promise<void> {
  server.leaveRoom(0);
}

/**
 * Makes the disk read-only, as the kernel does after an error. First moves the journal into memory, since the kernel
 * refuses the remount while a file is open for writing.
 */
async function freeze(): Promise<void> {
  await server.ask('journalctl', '--relinquish-var');
  execFileSync('mount', ['-o', 'remount,ro', server.root]);
}

async function thaw(): Promise<void> {
  execFileSync('mount', ['-o', 'remount,rw', server.root]);
  await server.ask('journalctl', '--flush');
}

/** Returns a function that reports whether registries.yaml has changed since this call. */
function renewed(): () => boolean {
  const old = server.read(registriesYaml);
  return () => server.read(registriesYaml) !== old;
}

function present(seen: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(seen).filter((entry): entry is [string, string] => !!entry[1]));
}

async function hasNoLeftovers(): Promise<void> {
  const drafts = ['-name', '*slipway-tmp*', '-o', '-name', '*slipway-part*'];
  expect(await server.ask('find', '/', '/run', '-xdev', ...drafts)).toBe('');
}
