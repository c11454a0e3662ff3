import { describe, expect, test } from 'vitest';
import { copyToRestore, forgetFetched } from '../../../src/commands/restore-source.ts';
import { cluster, to, type World, world } from '../agent/parts/backup/a-backup.ts';
import { paths } from '../agent/parts/k3s/datastore/a-datastore.ts';

const id = '20261130T120000Z-vm-1';
const fetched = '/var/lib/slipway/fetched';

/** Returns a server that has made a backup. */
async function backedUp(): Promise<World> {
  const machine = world();
  await machine.run();
  machine.store.calls.length = 0;
  return machine;
}

function copied(
  { host, store }: World,
  { plan = false, free = 2_000, otherCluster }: { plan?: boolean; free?: number; otherCluster?: string } = {},
) {
  const named = async () => ({ to, store: () => store.storeOn(host) });
  const tell = { out: () => {}, error: () => {} };
  const wish = { from: id, otherCluster, plan };
  return copyToRestore(host, paths, wish, { named, tell, free: async () => free });
}

describe('a backup that is to be restored', () => {
  test('is fetched and read', async () => {
    const machine = await backedUp();
    expect(await copied(machine)).toMatchObject({ path: `${fetched}/${id}.db`, isRead: true, isMove: false });
    expect(machine.host.files.list(fetched)).toEqual([`${id}.db`, `${id}.db.json`]);
  });

  test('is not fetched for a plan, which its manifest suffices for', async () => {
    const machine = await backedUp();
    expect(await copied(machine, { plan: true })).toMatchObject({ objects: 3, isRead: false });
    expect(machine.store.calls).toEqual([`read ${cluster}/${id}/manifest.json`]);
    expect(machine.host.files.stat(fetched)).toBeUndefined();
  });

  test('of a lost server is fetched on a new VM with a cluster of its own', async () => {
    const machine = await backedUp();
    machine.host.files.write(paths.k3s.serverCa, 'the CA of the new VM\n');
    await expect(copied(machine)).rejects.toMatchObject({ reason: 'RestoreRefused' });
    expect(await copied(machine, { otherCluster: cluster })).toMatchObject({ isMove: true, isRead: true });
  });

  test.each<readonly [string, (machine: World) => void, number, RegExp]>([
    ['without room for it', () => {}, 1_024, /needs 1025 MB of free space in \/var.*, and 1024 MB are free/],
    [
      'of a newer K3s',
      ({ host }) => host.on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.35.0+k3s1 (1a2b3c4d)\n'),
      2_000,
      /wrote the copy/,
    ],
    [
      'with another token',
      ({ host }) => host.files.write(paths.k3s.serverToken, 'another\n'),
      2_000,
      /another token/,
    ],
  ])('is refused %s before anything is fetched', async (_, change, free, message) => {
    const machine = await backedUp();
    change(machine);
    await expect(copied(machine, { free })).rejects.toMatchObject({
      reason: 'RestoreRefused',
      message: expect.stringMatching(message),
    });
    expect(machine.store.calls).toEqual([`read ${cluster}/${id}/manifest.json`]);
    expect(machine.host.files.stat(fetched)).toBeUndefined();
  });

  test('stays on the machine only while a restore is under way', async () => {
    const machine = await backedUp();
    await copied(machine);
    machine.host.files.write(paths.slipway.restore, '{}');
    await forgetFetched(machine.host, paths);
    expect(machine.host.files.list(fetched)).toHaveLength(2);
    machine.host.files.remove(paths.slipway.restore);
    await forgetFetched(machine.host, paths);
    expect(machine.host.files.stat(fetched)).toBeUndefined();
  });
});
