import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packaged } from '../../lab/executable.ts';
import { type BootedHost, eventually } from '../booted-host.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { changesOf } from '../judge.ts';
import { copyDebianPackage, copyExecutable } from '../provisioning.ts';

const executable = '/usr/local/bin/slipway';

let cluster: Cluster;
let server: BootedHost;
let previous: string;

beforeAll(async () => {
  cluster = await startCluster({ hosts: ['server'] });
  server = cluster.host('server');
  previous = join(server.root, '../previous');
  writeFileSync(previous, previousBuild(readFileSync(packaged)), { mode: 0o755 });
  copyExecutable(server, previous);
  await cluster.powerOn();
  await cluster.ready();
});

afterAll(() => cluster?.stop());

/**
 * Returns the previous build: this build with a different version, and a different word in K3s's unit. Neither change
 * affects the length, so all offsets stay valid.
 */
function previousBuild(build: Buffer): Buffer {
  const text = build.toString('latin1');
  const changed = text
    .replaceAll('"0.1.0"', '"0.0.9"')
    .replaceAll('Lightweight Kubernetes', 'Lightweight kubernetes');
  if (changed === text) {
    throw new Error('The executable does not hold what differs in the previous build.');
  }
  return Buffer.from(changed, 'latin1');
}

async function install(build: string, version: string): Promise<void> {
  const since = Date.now();
  copyExecutable(server, build);
  await server.ask('systemctl', 'restart', 'slipway');
  await eventually('the node to be Ready', () => server.isReady(since));
  expect(await server.ask('slipway', 'version')).toContain(version);
}

test('K3s keeps running through an upgrade and a downgrade of Slipway that change its unit', async () => {
  const start = await server.k3sStart();
  expect(await server.ask('slipway', 'version')).toContain('0.0.9');
  await install(packaged, '0.1.0');
  expect(server.read('/etc/systemd/system/k3s.service')).toContain('Lightweight Kubernetes');
  await install(previous, '0.0.9');
  expect(server.read('/etc/systemd/system/k3s.service')).toContain('Lightweight kubernetes');
  expect(await server.k3sStart()).toBe(start);
});

test('a daemon that is upgraded in the middle of a pass finishes its work', async () => {
  for (const path of ['/var/lib/slipway/logins.json', '/etc/rancher/k3s/registries.yaml']) {
    server.remove(path);
  }
  cluster.azure.registry().faults.fail('slow');
  await server.reload();
  await install(packaged, '0.1.0');
  cluster.azure.registry().faults.heal();
  expect(server.has('/etc/rancher/k3s/registries.yaml')).toBe(true);
});

test('K3s starts without the executable of Slipway, and Slipway does not restart K3s once the executable is back', async () => {
  await server.ask('systemctl', 'stop', 'slipway');
  await server.ask('mv', executable, '/root/slipway');
  const before = await server.k3sStart();
  await server.ask('systemctl', 'restart', 'k3s');
  expect((await server.show('k3s.service', 'ActiveState')).ActiveState).toBe('active');
  const start = await server.k3sStart();
  expect(start).not.toBe(before);
  await server.ask('mv', '/root/slipway', executable);
  const since = Date.now();
  await server.ask('systemctl', 'start', 'slipway');
  await eventually('the node to be Ready', () => server.isReady(since));
  expect(await server.k3sStart(), 'a start without a stamp is no reason for another').toBe(start);
  expect((await changesOf(server)).filter((resource) => resource.startsWith('Service/'))).toHaveLength(1);
});

test('a package that is purged within seconds of its upgrade leaves no failed unit', async () => {
  await server.ask('slipway', 'uninstall');
  copyDebianPackage(server);
  const install = ['dpkg', '--force-depends', '--force-unsafe-io', '--install', '/root/slipway.deb'] as const;
  await server.ask(...install);
  await eventually('the daemon to run', () => server.status() !== undefined);
  // The drop-in delays the unit that runs before each start of the daemon, so that this unit still runs when the purge
  // begins.
  server.write('/etc/systemd/system/slipway-directories.service.d/slow.conf', slowly);
  await server.ask(...install);
  await eventually('the directories to be made', async () => {
    const { ActiveState } = await server.show('slipway-directories.service', 'ActiveState');
    return ActiveState === 'activating';
  });
  await server.ask('dpkg', '--purge', 'slipway');
  await setTimeout(delay + 1_000);
  const units = ['slipway.service', 'slipway-directories.service'];
  expect(await server.ask('systemctl', 'list-units', '--all', '--plain', '--no-legend', ...units)).toBe('');
});

/** How long slipway-directories.service takes, in milliseconds: longer than a purge. */
const delay = 5_000;
const slowly = `[Service]\nExecStartPre=/bin/sleep ${delay / 1_000}\n`;
