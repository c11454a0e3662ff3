import { describe, expect, test } from 'vitest';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { booted, condition, isReady, live, vm } from './a-vm.ts';
import { peerUrl } from './etcd-peer.ts';
import { changesSince, etcd, kinds, made, silent, withPeer } from './founding-kinds.ts';
import { ca } from './world.ts';

const minute = 60_000;
const config = '/etc/rancher/k3s/config.yaml';
const founding = '/var/lib/slipway/founding.json';

describe.each(kinds)('a $kind', (row) => {
  test('boots to Ready, and starts K3s once', async () => {
    const machine = made(row);
    const report = await live(machine.slipway(), machine, row.within, isReady);
    expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
    expect(machine.peer.ways).toEqual([row.way]);
    expect(machine.units.starts).toBe(1);
  });

  test('changes nothing once it is Ready', async () => {
    const machine = made(row);
    const slipway = machine.slipway();
    await live(slipway, machine, row.within, isReady);
    await live(slipway, machine, minute);
    const { length } = machine.host.journal;
    await live(slipway, machine, 30 * minute);
    expect(changesSince(machine, length)).toEqual([]);
  });

  test('is not changed by a dry run, whose plan lists every resource', async () => {
    const machine = made(row);
    const before = machine.host.files.snapshot();
    const report = await machine.slipway(recordingHost).pass();
    expect(machine.host.files.snapshot()).toEqual(before);
    expect(machine.claims.objects.size).toBe(0);
    const real = made(row);
    const done = await live(real.slipway(), real, row.within, isReady);
    expect(report.outcomes.map(({ resource }) => resource.id)).toEqual(
      done.outcomes.map(({ resource }) => resource.id),
    );
  });

  test('keeps its configuration and its K3s if its record or all peers are lost', async () => {
    const machine = made(row);
    await live(machine.slipway(), machine, row.within, isReady);
    const before = machine.host.files.text(config);
    silent(machine);
    machine.host.files.remove(founding);
    const report = await live(machine.slipway(), machine, 10 * minute);
    expect(condition(report, 'Role')).toBe('True InSync');
    expect(machine.host.files.text(config)).toBe(before);
    expect(machine.units.starts).toBe(1);
  });
});

test('a joining server starts with the release of the cluster, even if its settings name a newer one', async () => {
  const machine = made(kinds[1]);
  machine.peer.release = 'v1.36.2+k3s1';
  await live(machine.slipway(), machine, minute, isReady);
  expect(machine.host.files.text('/usr/local/bin/k3s')).toBe('k3s v1.36.2+k3s1');
  expect([machine.units.starts, ...machine.peer.ways]).toEqual([1, 'joined']);
});

test('every server names the registration address in its certificate, and joins at a peer', async () => {
  const machine = made(kinds[1]);
  await live(machine.slipway(), machine, minute, isReady);
  const text = machine.host.files.text(config);
  expect(text).toContain('tls-san:\n  - "k3s.example.com"');
  expect(text).toContain(`server: "${peerUrl}"`);
  expect(text).not.toContain('cluster-init');
});

test('a first server that loses its disk joins its cluster, although it is still marked', async () => {
  const machine = made(kinds[0]);
  await live(machine.slipway(), machine, 8 * minute, isReady);
  const rebuilt = made(kinds[2]);
  rebuilt.claims.objects.set(
    [...machine.claims.objects.keys()].join(),
    [...machine.claims.objects.values()].join(),
  );
  await live(rebuilt.slipway(), rebuilt, minute, isReady);
  expect(rebuilt.peer.ways).toEqual(['joined']);
});

test('a first server that loses its disk founds no second cluster while its cluster is silent', async () => {
  const machine = made(kinds[0]);
  await live(machine.slipway(), machine, 8 * minute, isReady);
  const rebuilt = made(kinds[0]);
  for (const [name, text] of machine.claims.objects) {
    rebuilt.claims.objects.set(name, text);
  }
  const report = await live(rebuilt.slipway(), rebuilt, 60 * minute);
  expect(condition(report, 'Role')).toBe('False ClusterExists');
  expect(rebuilt.units.starts).toBe(0);
});

test('an unmarked server with an empty disk waits until another server answers, and then joins', async () => {
  const machine = vm('server', etcd);
  const slipway = machine.slipway();
  const report = await live(slipway, machine, 60 * minute);
  expect(report.conditions.find(({ type }) => type === 'Role')?.reason).toBe('FoundingWaits');
  expect(machine.units.starts).toBe(0);
  withPeer(machine);
  await live(slipway, machine, minute, isReady);
  expect(machine.peer.ways).toEqual(['joined']);
});

test('a server with SQLite keeps it if the settings say etcd, and is given no server to join', async () => {
  const { machine } = await booted('server');
  machine.host.files.write('/var/lib/rancher/k3s/server/db/state.db', 'SQLite');
  const before = machine.host.files.text(config);
  machine.host.files.write('/etc/slipway/config.d/extra.yaml', etcd);
  withPeer(machine);
  await live(machine.slipway(), machine, 10 * minute);
  expect(machine.host.files.text(config)).toBe(before);
  expect(machine.units.starts).toBe(1);
});

test('a server does not start K3s while its settings differ from those of the cluster', async () => {
  const machine = made(kinds[1]);
  machine.peer.config = { ...machine.peer.config, FlannelBackend: 'wireguard-native' };
  const slipway = machine.slipway();
  const report = await live(slipway, machine, 20 * minute);
  expect(condition(report, 'K3sConfig')).toBe('False SettingsDiffer');
  expect(machine.units.starts).toBe(0);
  const file = machine.host.files.text('/etc/slipway/config.d/extra.yaml') ?? '';
  const corrected = file.replace('datastore', 'config: { flannel-backend: wireguard-native }, datastore');
  machine.host.files.write('/etc/slipway/config.d/extra.yaml', corrected);
  await live(slipway, machine, minute, isReady);
  expect(machine.peer.ways).toEqual(['joined']);
});

test('a server reports settings that differ later, and stays Ready', async () => {
  const machine = made(kinds[1]);
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  machine.peer.config = { ...machine.peer.config, ClusterDomain: 'other.local' };
  const report = await live(slipway, machine, 10 * minute);
  expect(condition(report, 'K3sConfig')).toBe('False SettingsDiffer');
  expect(condition(report, 'Ready')).toMatch(/^True/);
  expect(machine.units.starts).toBe(1);
});

test('a joined server follows k3s.peers to another server, and K3s runs on', async () => {
  const machine = made(kinds[1]);
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  const other = 'https://10.0.0.7:6443';
  machine.host.onGet(`${other}/ping`, 'pong').onGet(`${other}/cacerts`, ca);
  machine.host.onGet(`${other}/v1-k3s/encrypt/status`, '{}');
  machine.host.onGet(`${other}/v1-k3s/config`, () => JSON.stringify(machine.peer.config));
  machine.host.onGet(`${other}/static/slipway/release.json`, { status: 404 });
  machine.host.files.write('/etc/slipway/config.d/extra.yaml', etcd.replace('10.0.0.6', '10.0.0.7'));
  const report = await live(slipway, machine, 10 * minute);
  expect(machine.host.files.text(config)).toContain(`server: "${other}"`);
  expect(condition(report, 'Ready')).toMatch(/^True/);
  expect(machine.units.starts).toBe(1);
});

test('a first server whose Node was deleted joins its cluster again, and founds none', async () => {
  const machine = made(kinds[0]);
  const slipway = machine.slipway();
  await live(slipway, machine, 8 * minute, isReady);
  machine.host.files.write('/var/lib/rancher/k3s/server/db/etcd/tombstone', '');
  await live(slipway, machine, 20 * minute);
  expect(machine.peer.ways).toEqual(['founded']);
  withPeer(machine);
  await live(slipway, machine, 10 * minute);
  expect(machine.host.files.text(config)).toContain(`server: "${peerUrl}"`);
  expect(machine.peer.ways.at(-1)).toBe('joined');
});

describe('a first server that boots without its data disk', () => {
  const data = '/var/lib/rancher/k3s';

  async function withoutDisk() {
    const machine = made(kinds[0]);
    await live(machine.slipway(), machine, 8 * minute, isReady);
    await live(machine.slipway(), machine, minute);
    machine.host.files.rename(data, '/unmounted');
    await machine.reboot();
    return machine;
  }

  test('founds no second cluster before or after Slipway looks, and says that the disk may be missing', async () => {
    const machine = await withoutDisk();
    await machine.host.sleep(minute);
    expect(machine.peer.ways).toEqual(['founded']);
    const slipway = machine.slipway();
    const waiting = await live(slipway, machine, 2 * minute);
    const report = await live(slipway, machine, 60 * minute);
    expect(machine.peer.ways).toEqual(['founded']);
    expect(machine.units).toMatchObject({ starts: 1, refused: 1 });
    expect(condition(report, 'Role')).toBe('False ClusterExists');
    for (const { conditions } of [waiting, report]) {
      expect(conditions.find(({ type }) => type === 'Role')?.message).toContain(
        `the disk of ${data} is missing`,
      );
    }
  });

  test('keeps its cluster once the disk is back', async () => {
    const machine = await withoutDisk();
    const slipway = machine.slipway();
    await live(slipway, machine, 30 * minute);
    machine.host.files.remove(data);
    machine.host.files.rename('/unmounted', data);
    await live(slipway, machine, 20 * minute, isReady);
    expect(machine.peer.ways).toEqual(['founded', 'kept']);
  });
});
