import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { readManifestText } from '../../../../../src/agent/parts/backup/manifest.ts';
import { requestBackup } from '../../../../../src/agent/parts/backup/request.ts';
import { objectStore } from '../../../../../src/agent/stores/index.ts';
import { FakeCloud } from '../../../../lab/fake-cloud.ts';
import { Crash } from '../../../../lab/memory-host.ts';
import { carryOut } from '../../../../lab/memory-jobs.ts';
import { outcome, settle } from '../../a-node.ts';
import { database, datastoreSql, paths, token } from '../k3s/datastore/a-datastore.ts';
import { cluster, hour, recordOf, to, type World, world } from './a-backup.ts';

const first = '20261130T120000Z-vm-1';
const names = (id: string) => [`${cluster}/${id}/datastore.zst`, `${cluster}/${id}/manifest.json`];
const begins = 'Drifted (non-blocking) backup';
const steps = [begins, ...Array.from({ length: 5 }, () => `Drifted (non-blocking) backup ${first}`)];
const unavailable = new NodeError('Unreachable', 'The store does not answer.');

describe('a backup of the datastore', () => {
  test('is stored with its manifest, read back, and only then counts', async () => {
    const machine = world();
    expect(await machine.run()).toEqual([...steps, 'InSync']);
    expect(machine.store.names()).toEqual(names(first));
    expect(machine.store.calls).toEqual([
      `put ${names(first)[0]}`,
      `claim ${names(first)[1]}`,
      `read ${names(first)[1]}`,
      `fetch ${names(first)[0]}`,
      `list ${cluster}/`,
    ]);
    const manifest = readManifestText(machine.store.objects.get(names(first)[1] ?? '')?.text ?? '');
    expect(manifest).toMatchObject({
      id: first,
      node: 'vm-1',
      datastore: 'sqlite',
      k3s: 'v1.36.3+k3s1',
      slipway: '1.2.3',
      token,
      tokenVersion: 'version-7',
      revision: 4,
      objects: 3,
      reason: 'by schedule',
      compression: 'zstd',
    });
    expect((await recordOf(machine)).proven).toMatchObject({
      id: first,
      bytes: manifest?.bytes,
      older: 'removed',
    });
    expect(machine.host.files.stat(paths.slipway.outgoing)).toBeUndefined();
    expect(machine.store.objects.get(names(first)[1] ?? '')?.text).not.toContain('swordfish');
  });

  test('begins at once without a record, then at each time of the schedule', async () => {
    const machine = world();
    await machine.run();
    expect(await machine.resource.check(machine.host)).toMatchObject({
      state: 'InSync',
      until: Date.UTC(2026, 10, 30, 18),
      message: `the last proven backup is ${first}`,
    });
    machine.host.advance(6 * hour - 1);
    expect(await outcome(machine.resource, machine.host)).toBe('InSync');
    machine.host.advance(1);
    await machine.run();
    expect((await recordOf(machine)).proven?.id).toBe('20261130T180000Z-vm-1');
  });

  test('begins at once if a person asks for it, and only once', async () => {
    const machine = world();
    await machine.run();
    machine.host.advance(hour);
    await requestBackup(machine.host, paths);
    await machine.run();
    expect((await recordOf(machine)).proven?.id).toBe('20261130T130000Z-vm-1');
    expect(machine.host.files.stat(paths.slipway.backupRequest)).toBeUndefined();
  });

  test('begins at once if backup.to names another store', async () => {
    const machine = world();
    await machine.run();
    const text = machine.host.files.text(paths.slipway.backups) ?? '';
    machine.host.files.write(paths.slipway.backups, text.replace(to, '/mnt/other'));
    expect(await outcome(machine.resource, machine.host)).toBe(begins);
  });

  test('begins at once after the clock was set back, and drops the backup that is under way', async () => {
    const machine = world();
    machine.store.fault('put', { fails: unavailable, when: 'before' });
    await machine.run();
    machine.host.setClock(machine.host.now() - 24 * hour);
    await machine.run();
    expect((await recordOf(machine)).proven?.id).toBe('20261129T120000Z-vm-1');
    expect(await outcome(machine.resource, machine.host)).toBe('InSync');
  });

  test.each([
    ['starts', 'activating'],
    ['is stopped', 'inactive'],
  ])('waits while K3s %s', async (_, ActiveState) => {
    const machine = world({ unit: { ActiveState } });
    expect(await machine.run()).toEqual(['Waiting ServiceStarting']);
    expect(machine.host.mutations).toBe(0);
  });

  test('copies again if K3s was restarted during the copy', async () => {
    const machine = world();
    const { host } = machine;
    const copies = () => host.lines().filter((line) => line.startsWith('copy ')).length;
    host.on(
      { file: 'systemctl', args: /^show k3s\.service/ },
      () => `ActiveState=active\nInvocationID=${copies() > 0}\nJob=\n`,
    );
    expect((await machine.run()).at(-1)).toBe('ServiceStarting (time, non-blocking)');
    expect(machine.store.calls).toEqual([]);
    expect((await machine.run()).at(-1)).toBe('InSync');
  });

  test('is declined without room, and leaves the last proven one', async () => {
    const machine = world();
    await machine.run();
    machine.host.advance(6 * hour);
    machine.host.free = 1_000;
    expect((await machine.run()).at(-1)).toBe('CopyDeclined (person, non-blocking)');
    expect((await recordOf(machine)).proven?.id).toBe(first);
    machine.host.free = 2 ** 40;
    expect((await machine.run()).at(-1)).toBe('InSync');
  });

  test('reports a damaged datastore, and stores nothing of it', async () => {
    const machine = world();
    machine.host.files.write(database, 'no database');
    expect((await machine.run()).at(-1)).toContain('DatabaseDamaged');
    expect(machine.store.names()).toEqual([]);
  });
});

describe('a store that fails', () => {
  test.each(['put', 'claim', 'read', 'fetch', 'list'] as const)(
    'before or after the effect of %s costs only that step',
    async (call) => {
      for (const when of ['before', 'after'] as const) {
        const machine = world();
        machine.store.fault(call, { fails: unavailable, when });
        expect((await machine.run()).at(-1)).toBe('Unreachable (time, non-blocking)');
        expect((await machine.run()).at(-1)).toBe('InSync');
        expect(machine.store.names()).toEqual(names(first));
        expect(machine.host.lines().filter((line) => line.startsWith('copy '))).toHaveLength(1);
      }
    },
  );

  /** Lets the Resource work until a step fails, and returns the error. */
  async function failureOf({ resource, host }: World): Promise<unknown> {
    for (;;) {
      const finding = await resource.check(host);
      if (finding.state !== 'Drifted') {
        return finding;
      }
      try {
        await carryOut(finding.drift.remedy, host);
      } catch (thrown) {
        return thrown;
      }
    }
  }

  test.each(['put', 'fetch'] as const)(
    'in %s, which moves the whole backup, is asked ever more rarely, up to once an hour',
    async (call) => {
      const machine = world();
      machine.store.fault(call, { fails: unavailable, when: 'before' });
      expect(await failureOf(machine)).toMatchObject({ reason: 'Unreachable', retry: { longest: hour } });
    },
  );

  test.each([
    ['list', unavailable, {}],
    ['put', new NodeError('StoreNotFound', 'x', { retry: { longest: 60_000 } }), { longest: 60_000 }],
    ['put', new NodeError('StoreForbidden', 'x', { endedBy: 'person' }), {}],
    ['put', new NodeError('Unreachable', 'x', { retry: { after: 5_000 } }), { longest: hour, after: 5_000 }],
  ] as const)('in %s (case %#) keeps the limits of its error', async (call, fails, retry) => {
    const machine = world();
    machine.store.fault(call, { fails, when: 'before' });
    const thrown = await failureOf(machine);
    expect(thrown).toMatchObject({ reason: fails.reason, blocks: false });
    expect(thrown).toHaveProperty('retry', retry);
  });

  test('by refusing the upload keeps the last proven backup, and is asked again', async () => {
    const machine = world();
    await machine.run();
    machine.host.advance(6 * hour);
    machine.store.deny('put');
    expect((await machine.run()).at(-1)).toBe('StoreForbidden (time, non-blocking)');
    expect((await recordOf(machine)).proven?.id).toBe(first);
  });

  test('for six hours past the next time of the schedule makes room for a newer backup', async () => {
    const machine = world();
    const { host, store } = machine;
    for (let at = 0; at < 2; at += 1) {
      store.fault('put', { fails: unavailable, when: 'before' });
    }
    await machine.run();
    host.advance(6 * hour - 1);
    await machine.run();
    expect((await recordOf(machine)).underWay?.id).toBe(first);
    host.advance(1);
    await machine.run();
    expect((await recordOf(machine)).proven?.id).toBe('20261130T180000Z-vm-1');
  });

  test.each([
    ['other bytes come back', (text: string) => `${text}x`],
    ['the end is missing', (text: string) => text.slice(0, -20)],
    ['another backup comes back', () => 'zstd 0\n'],
  ])('does not prove a backup if %s, and makes another one after an hour', async (_, change) => {
    const machine = world();
    const { host, store } = machine;
    await machine.run();
    host.advance(6 * hour);
    const second = '20261130T180000Z-vm-1';
    while (!store.names().includes(names(second)[1] ?? '')) {
      await settle(machine.resource, host, 1);
    }
    const data = names(second)[0] ?? '';
    store.damage(data, change(store.objects.get(data)?.text ?? ''));
    expect((await machine.run()).at(-1)).toBe('BackupNotProven (person, non-blocking)');
    expect(await recordOf(machine)).toMatchObject({ proven: { id: first }, failed: { id: second } });
    expect(await machine.run()).toEqual(['Waiting BackupNotProven']);
    host.advance(hour);
    expect((await machine.run()).at(-1)).toBe('InSync');
    expect(await recordOf(machine)).toMatchObject({ proven: { id: '20261130T190000Z-vm-1' } });
    expect((await recordOf(machine)).failed).toBeUndefined();
  });

  test('with another object under the name of the backup gives the backup up, and replaces nothing', async () => {
    const machine = world();
    const [data = ''] = names(first);
    machine.store.objects.set(data, { text: 'another one', modifiedAt: 0 });
    expect((await machine.run()).at(-1)).toMatch('StoreConflict');
    expect(machine.store.objects.get(data)?.text).toBe('another one');
    machine.host.advance(hour);
    expect((await machine.run()).at(-1)).toBe('InSync');
  });
});

describe('retention', () => {
  async function backups(machine: World, count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      await machine.run();
      machine.host.advance(6 * hour);
    }
  }
  const ids = ({ store }: World) => [...new Set(store.names().map((name) => name.split('/')[1]))];

  test('keeps as many backups as the settings name', async () => {
    const machine = world({ retention: 2 });
    await backups(machine, 4);
    expect(ids(machine)).toEqual(['20261201T000000Z-vm-1', '20261201T060000Z-vm-1']);
    expect(machine.store.names()).toHaveLength(4);
  });

  test('removes neither newer backups, nor those of other clusters, nor anything that is not a whole backup', async () => {
    const machine = world({ retention: 1 });
    const others = [
      `${cluster}/20991130T120000Z-vm-1/manifest.json`,
      `${cluster}/20201130T120000Z-vm-1/datastore.zst`,
      `${cluster}/notes/manifest.json`,
      '0123456789ab/20201130T120000Z-vm-1/manifest.json',
    ];
    for (const name of others) {
      machine.store.objects.set(name, { text: 'kept', modifiedAt: 0 });
    }
    await backups(machine, 3);
    expect(machine.store.names()).toEqual([...others, ...names('20261201T000000Z-vm-1')].sort());
  });

  test('never removes the last proven backup while newer ones are not proven', async () => {
    const machine = world({ retention: 1 });
    await machine.run();
    machine.host.advance(6 * hour);
    machine.store.fault('fetch', {
      fails: new NodeError('ObjectNotFound', 'The object is gone.'),
      when: 'before',
    });
    expect((await machine.run()).at(-1)).toBe('BackupNotProven (person, non-blocking)');
    expect(ids(machine)).toContain(first);
  });

  test('that keeps failing is reported, and does not block the next backup', async () => {
    const machine = world({ retention: 1 });
    await machine.run();
    machine.host.advance(6 * hour);
    for (let at = 0; at < 5; at += 1) {
      machine.store.fault('remove', { fails: unavailable, when: 'before' });
    }
    expect((await machine.run()).at(-1)).toBe('Unreachable (time, non-blocking)');
    expect((await machine.run()).at(-1)).toBe('Unreachable (time, non-blocking)');
    expect(ids(machine)).toEqual([first, '20261130T180000Z-vm-1']);
    machine.host.advance(6 * hour);
    await machine.run();
    expect((await recordOf(machine)).proven?.id).toBe('20261201T000000Z-vm-1');
    await machine.run();
    await machine.run();
    expect((await machine.run()).at(-1)).toBe('InSync');
    expect(ids(machine)).toEqual(['20261201T000000Z-vm-1']);
  });

  test('removes older backups before the next one, even if the next one is due already', async () => {
    const machine = world({ retention: 1 });
    await machine.run();
    machine.host.advance(6 * hour);
    while ((await recordOf(machine)).proven?.id === first) {
      await settle(machine.resource, machine.host, 1);
    }
    machine.host.advance(6 * hour);
    await settle(machine.resource, machine.host, 1);
    expect(ids(machine)).toEqual(['20261130T180000Z-vm-1']);
  });

  test('counts only proven backups, and removes those that were given up', async () => {
    const machine = world({ retention: 2 });
    await machine.run();
    machine.host.advance(6 * hour);
    for (let at = 0; at < 3; at += 1) {
      machine.store.fault('fetch', {
        fails: new NodeError('ObjectNotFound', 'The object is gone.'),
        when: 'before',
      });
      expect((await machine.run()).at(-1)).toBe('BackupNotProven (person, non-blocking)');
      machine.host.advance(hour);
    }
    expect(ids(machine)).toHaveLength(4);
    expect((await machine.run()).at(-1)).toBe('InSync');
    expect(ids(machine)).toEqual([first, '20261130T210000Z-vm-1']);
    expect((await recordOf(machine)).unproven).toBeUndefined();
  });

  test('does not count a backup that made room for a newer one before it was proven', async () => {
    const machine = world({ retention: 2 });
    await machine.run();
    machine.host.advance(6 * hour);
    machine.store.fault('fetch', { fails: unavailable, when: 'before' });
    await machine.run();
    machine.host.advance(6 * hour);
    await machine.run();
    expect(ids(machine)).toEqual([first, '20261201T000000Z-vm-1']);
  });

  test('accepts a store that refuses to remove, and says so', async () => {
    const machine = world({ retention: 1 });
    machine.store.deny('remove');
    await backups(machine, 2);
    expect(ids(machine)).toHaveLength(2);
    expect((await recordOf(machine)).proven?.older).toBe('refused');
  });
});

test('a server with an external datastore makes no backup, and says so', async () => {
  const machine = world();
  machine.host.files.write('/etc/rancher/k3s/config.yaml', 'datastore-endpoint: postgres://db/k3s\n');
  expect(await machine.resource.check(machine.host)).toMatchObject({
    state: 'InSync',
    message: expect.stringContaining('not by Slipway'),
  });
});

test('a backup survives a crash before each of its changes, also in the store', async () => {
  const cloud = new FakeCloud();
  const inFolder = () => {
    const machine = world({ retention: 1, storeOn: (host) => objectStore({ to }, { host, cloud }) });
    machine.host.on({ file: 'stat', args: /^--file-system/ }, 'ext2/ext3\n').files.makeDirectory(to);
    return machine;
  };
  const whole = inFolder();
  await whole.run();
  const changes = whole.host.mutations;
  expect(changes).toBeGreaterThan(15);
  for (let mutation = 1; mutation <= changes; mutation += 1) {
    const machine = inFolder();
    const { host } = machine;
    host.crashBefore(mutation);
    await machine.run().catch((thrown) => expect(thrown).toBeInstanceOf(Crash));
    host.restart();
    host.advance(60_000);
    expect((await machine.run()).at(-1)).toBe('InSync');
    const { proven } = await recordOf(machine);
    const folder = `${to}/${cluster}/${proven?.id}`;
    expect(host.files.list(folder)).toEqual(['datastore.zst', 'manifest.json']);
    expect(host.files.text(`${folder}/datastore.zst`)).toContain(datastoreSql());
    expect(host.files.list(to)).toEqual([cluster]);
    expect(host.files.stat(paths.slipway.outgoing)).toBeUndefined();
  }
});
