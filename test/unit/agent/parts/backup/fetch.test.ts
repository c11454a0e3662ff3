import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../../../src/agent/engine/digest.ts';
import { findBackup } from '../../../../../src/agent/parts/backup/fetch.ts';
import { judgeCopy } from '../../../../../src/agent/parts/k3s/index.ts';
import { ca, datastoreSql, paths } from '../k3s/datastore/a-datastore.ts';
import { cluster, type World, world } from './a-backup.ts';

const id = '20261130T120000Z-vm-1';
const path = `/var/lib/slipway/fetched/${id}.db`;

/** Returns a server that has made a backup. */
async function backedUp(): Promise<World> {
  const machine = world();
  await machine.run();
  return machine;
}

async function fetched(machine: World, wanted = id, otherCluster?: string): Promise<string> {
  const { host, store } = machine;
  const found = await findBackup(host, paths, wanted, {
    store: async () => store.storeOn(host),
    otherCluster,
  });
  await found.fetch?.();
  return found.path;
}

/** Removes what shows of which cluster the machine is, as on a new VM. */
function forgetCluster({ host }: World): void {
  host.files.remove(paths.k3s.serverCa);
  host.files.remove(paths.k3s.serverToken);
}

describe('a backup that is fetched for a restore', () => {
  test('is a private file with its manifest beside it, which a restore accepts', async () => {
    const machine = await backedUp();
    expect(await fetched(machine)).toBe(path);
    expect(machine.host.files.read(path)).toMatchObject({ content: datastoreSql(), mode: 0o600 });
    expect(machine.host.files.list('/var/lib/slipway/fetched')).toEqual([`${id}.db`, `${id}.db.json`]);
    expect(await judgeCopy(machine.host, paths, path)).toMatchObject({ path, reason: 'by schedule' });
  });

  test('is not fetched again, so that a restore continues without the store', async () => {
    const machine = await backedUp();
    await fetched(machine);
    machine.store.exists = false;
    expect(await fetched(machine)).toBe(path);
  });

  test('is refused if the store has no such backup of this cluster', async () => {
    const machine = await backedUp();
    await expect(fetched(machine, '20261129T120000Z-vm-1')).rejects.toMatchObject({
      reason: 'RestoreRefused',
      message: expect.stringContaining(`of the cluster ${cluster}. See: slipway backup list --all`),
    });
  });

  test('is found by its manifest alone, which leaves nothing on the machine', async () => {
    const { host, store } = await backedUp();
    store.calls.length = 0;
    const found = await findBackup(host, paths, id, { store: async () => store.storeOn(host) });
    expect(found).toMatchObject({ path, manifest: { id, objects: 3 } });
    expect(store.calls).toEqual([`read ${cluster}/${id}/manifest.json`]);
    expect(host.files.stat('/var/lib/slipway/fetched')).toBeUndefined();
  });

  test('takes the place of what an earlier restore has fetched and left', async () => {
    const machine = await backedUp();
    machine.host.files.write('/var/lib/slipway/fetched/other.db', 'x');
    await fetched(machine);
    expect(machine.host.files.list('/var/lib/slipway/fetched')).toEqual([`${id}.db`, `${id}.db.json`]);
  });

  test.each([
    ['datastore.zst', (text: string) => text.replace('vm-1', 'vm-2')],
    ['manifest.json', (text: string) => text.replace(/"objects": 3/, '"objects": "x"')],
  ])('is refused if %s in the store was changed, and leaves no datastore', async (name, change) => {
    const machine = await backedUp();
    const object = `${cluster}/${id}/${name}`;
    machine.store.damage(object, change(machine.store.objects.get(object)?.text ?? ''));
    await expect(fetched(machine)).rejects.toMatchObject({ reason: 'RestoreRefused' });
    expect(machine.host.files.stat(path)).toBeUndefined();
  });

  test('is found on a machine without a cluster, unless two clusters have a backup with its id', async () => {
    const machine = await backedUp();
    forgetCluster(machine);
    expect(await fetched(machine)).toBe(path);
    machine.host.files.remove(path);
    for (const name of ['datastore.zst', 'manifest.json']) {
      machine.store.objects.set(`0123456789ab/${id}/${name}`, { text: 'x', modifiedAt: 0 });
    }
    await expect(fetched(machine)).rejects.toMatchObject({
      reason: 'RestoreRefused',
      message: expect.stringContaining('of 2 clusters'),
    });
    await expect(fetched(machine, '20261129T120000Z-vm-1')).rejects.toMatchObject({
      reason: 'RestoreRefused',
    });
  });

  test('is fetched on a new VM that has founded a cluster of its own, if a person names the lost one', async () => {
    const machine = await backedUp();
    const { host } = machine;
    host.files.write(paths.k3s.serverCa, 'the CA of the new VM\n');
    await expect(fetched(machine)).rejects.toMatchObject({
      reason: 'RestoreRefused',
      message: expect.stringMatching(/slipway restore --from \S+ --other-cluster [0-9a-f]{12}/),
    });
    expect(await fetched(machine, id, cluster)).toBe(path);
    expect(await judgeCopy(host, paths, path, { otherCluster: cluster })).toMatchObject({
      path,
      isMove: true,
    });
  });

  test('is fetched again if the fetched one is of another cluster than the one that a person names', async () => {
    const machine = await backedUp();
    await fetched(machine);
    const other = sha256('another CA');
    const manifest = machine.host.files.text(`${path}.json`) ?? '';
    machine.host.files.write(`${path}.json`, manifest.replace(sha256(ca), other));
    expect(await fetched(machine, id, cluster)).toBe(path);
    expect(machine.host.files.text(`${path}.json`)).toBe(manifest);
  });

  test.each(['', '4f1c', '../../x', '4F1C0C2A9B3E'])('is refused for the cluster "%s"', async (named) => {
    const machine = await backedUp();
    await expect(fetched(machine, id, named)).rejects.toMatchObject({
      reason: 'RestoreRefused',
      message: expect.stringContaining('slipway backup list --all'),
    });
  });
});
