import { describe, expect, test } from 'vitest';
import { Crash } from '../lab/memory-host.ts';
import { booted, condition, live, type Vm } from '../scenario/a-vm.ts';
import { changesSince, etcd } from '../scenario/founding-kinds.ts';
import { ca } from '../scenario/world.ts';
import { datastoreSql } from '../unit/agent/parts/k3s/datastore/a-datastore.ts';

const minute = 60_000;
const data = '/var/lib/rancher/k3s/server';
const config = '/etc/rancher/k3s/config.yaml';
const founding = '/var/lib/slipway/founding.json';
const consent = 'consent: { settings: ["datastore=etcd"] }\n';
const held = 'maintenance: { hold: later }\n';
const beforeWindow = 'maintenance: { windows: [{ from: "01:00", to: "01:05" }] }\n';

/** Boots a server with SQLite, and then lets its settings want etcd. */
async function server(more = consent) {
  const { machine, slipway } = await booted(
    'server',
    'gitops: { engine: none }\nregistries: { onRotate: never }\n',
  );
  machine.host.files.write(`${data}/db/state.db`, datastoreSql(), 0o600);
  machine.host.files.write(`${data}/tls/server-ca.crt`, ca);
  configure(machine, `${etcd}${more}`);
  return { machine, slipway };
}

function configure({ host }: Vm, text: string): void {
  host.files.write('/etc/slipway/config.d/extra.yaml', text);
}

function state({ host }: Vm): string | undefined {
  return JSON.parse(host.files.text(founding) ?? '{}').state;
}

describe('the move from SQLite to etcd', () => {
  test('copies SQLite, restarts K3s once in the turn of the node, and ends once the server is healthy', async () => {
    const { machine, slipway } = await server();
    const { length } = machine.host.journal;
    await live(slipway, machine, 10 * minute);
    expect(machine.peer.ways).toEqual(['sqlite', 'migrated']);
    expect(state(machine)).toBe('member');
    expect(machine.host.files.text(config)).toContain('cluster-init: true');
    expect(machine.host.files.stat(`${data}/db/state.db`)).toBeUndefined();
    const did = machine.host.lines().slice(length);
    const order = [
      /^copy .*state\.db/,
      /^write .*founding\.json/,
      /^write .*config\.yaml/,
      /^run systemctl restart/,
    ];
    const at = order.map((pattern) => did.findIndex((line) => pattern.test(line)));
    expect(at).not.toContain(-1);
    expect(at).toEqual([...at].sort((a, b) => a - b));
    const { length: done } = machine.host.journal;
    await live(slipway, machine, 60 * minute);
    expect(changesSince(machine, done)).toEqual([]);
  });

  test('waits for consent, and changes nothing until then', async () => {
    const { machine, slipway } = await server('');
    const before = machine.host.files.text(config);
    const report = await live(slipway, machine, 20 * minute);
    expect(condition(report, 'K3sConfig')).toBe('False DatastoreKept');
    expect(condition(report, 'Ready')).toMatch(/^True/);
    expect(machine.host.files.text(config)).toBe(before);
    expect(machine.units.starts).toBe(1);
  });

  test('can be dropped until K3s restarts', async () => {
    const { machine, slipway } = await server(consent + beforeWindow);
    await live(slipway, machine, 20 * minute);
    expect(state(machine)).toBe('migrates');
    expect(machine.host.files.text(config)).toContain('cluster-init');
    // A hold does not keep the consent from being taken back: without Slipway, the next boot would move the server.
    configure(machine, `${etcd}${held}`);
    await live(slipway, machine, 10 * minute);
    expect(machine.host.files.stat(founding)).toBeUndefined();
    expect(machine.host.files.text(config)).not.toContain('cluster-init');
    expect(machine.peer.ways).toEqual(['sqlite']);
  });

  test('begins on a held node only after the hold', async () => {
    const { machine, slipway } = await server(consent + held);
    const before = machine.host.files.text(config);
    const report = await live(slipway, machine, 20 * minute);
    expect(state(machine)).toBeUndefined();
    expect(machine.host.files.text(config)).toBe(before);
    expect(machine.host.lines().filter((line) => line.startsWith('copy '))).toEqual([]);
    expect(condition(report, 'Ready')).toMatch(/^True/);
    configure(machine, `${etcd}${consent}`);
    await live(slipway, machine, 10 * minute);
    expect(state(machine)).toBe('member');
  });

  test('stops no K3s on a held node to copy again', async () => {
    const { machine, slipway } = await server(consent + beforeWindow);
    await live(slipway, machine, 20 * minute);
    machine.host.files.write(`${data}/db/etcd/member/wal`, 'half');
    configure(machine, `${etcd}${consent}${held}`);
    await live(slipway, machine, 20 * minute);
    expect(machine.units.isActive(/k3s/)).toBe(true);
    expect(machine.host.files.text(`${data}/db/etcd/member/wal`)).toBe('half');
    configure(machine, `${etcd}${consent}`);
    await live(slipway, machine, 10 * minute);
    expect(state(machine)).toBe('member');
  });

  test('copies again if K3s was killed while it copied', async () => {
    const { machine, slipway } = await server();
    await live(slipway, machine, 10 * minute, () => state(machine) === 'migrates');
    // K3s was killed between the first key and the renaming of state.db, and then started with half of the keys.
    machine.host.files.write(`${data}/db/etcd/member/wal`, 'half');
    await live(slipway, machine, 10 * minute);
    expect(state(machine)).toBe('member');
    expect(machine.peer.ways.at(-1)).toBe('migrated');
    expect(machine.host.files.list(`${data}/db`).some((name) => name.startsWith('etcd-incomplete-'))).toBe(
      true,
    );
    expect(machine.host.files.text(`${data}/db/etcd/member/wal`)).toBe('');
  });

  test('copies again at the next boot if the power was lost while K3s copied', async () => {
    const { machine, slipway } = await server(consent + beforeWindow);
    await live(slipway, machine, 20 * minute);
    machine.host.files.write(`${data}/db/etcd/member/wal`, 'half');
    await machine.reboot();
    // K3s starts before Slipway looks.
    await machine.host.sleep(minute);
    expect(machine.peer.ways).toEqual(['sqlite', 'migrated']);
    await live(machine.slipway(), machine, 10 * minute);
    expect(state(machine)).toBe('member');
    expect(machine.peer.ways).not.toContain('kept');
  });

  test('never starts K3s with half of the keys, also if Slipway crashes while it lets K3s copy again', async () => {
    for (const mutation of [1, 2, 3]) {
      const { machine, slipway } = await server(consent + beforeWindow);
      await live(slipway, machine, 20 * minute);
      machine.host.files.write(`${data}/db/etcd/member/wal`, 'half');
      machine.host.crashBefore(machine.host.mutations + mutation);
      await live(slipway, machine, 10 * minute).catch(onlyCrash);
      machine.host.restart();
      await live(machine.slipway(), machine, 15 * minute);
      expect(state(machine)).toBe('member');
      expect(machine.peer.ways).toEqual(['sqlite', 'migrated']);
    }
  });

  test('reaches the same end after a crash before any of its mutations', async () => {
    const whole = await server();
    const first = whole.machine.host.mutations;
    await live(whole.slipway, whole.machine, 10 * minute);
    for (let mutation = first + 1; mutation <= whole.machine.host.mutations; mutation += 1) {
      const { machine, slipway } = await server();
      machine.host.crashBefore(mutation);
      await live(slipway, machine, 10 * minute).catch(onlyCrash);
      machine.host.restart();
      await live(machine.slipway(), machine, 15 * minute);
      expect(state(machine)).toBe('member');
      expect(machine.peer.ways).toEqual(['sqlite', 'migrated']);
      expect(machine.host.files.text(config)).toContain('cluster-init: true');
    }
  });
});

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}
