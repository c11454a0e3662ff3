import { expect, test } from 'vitest';
import { sha256 } from '../../../../../src/agent/engine/digest.ts';
import { listBackups } from '../../../../../src/agent/parts/backup/list.ts';
import { ca, paths } from '../k3s/datastore/a-datastore.ts';
import { cluster, to, world } from './a-backup.ts';

test('lists the whole backups of a cluster or of all clusters, and marks the one that this node has proven', async () => {
  const machine = world();
  await machine.run();
  const [data = '', manifest = ''] = machine.store.names();
  const other = '0123456789ab/20261129T120000Z-vm-9';
  for (const name of [
    `${other}/datastore.zst`,
    `${other}/manifest.json`,
    `${cluster}/20261101T120000Z-x/manifest.json`,
  ]) {
    machine.store.objects.set(name, { text: 'x', modifiedAt: 0 });
  }
  const store = machine.store.storeOn(machine.host);
  const bytes = machine.store.objects.get(data)?.text.length;
  const own = { id: manifest.split('/')[1], cluster, bytes, at: Date.UTC(2026, 10, 30, 12), isProven: true };
  expect(await listBackups(machine.host, paths, store, { to, ca: sha256(ca) })).toEqual([own]);
  const foreign = {
    id: '20261129T120000Z-vm-9',
    cluster: '0123456789ab',
    bytes: 1,
    at: Date.UTC(2026, 10, 29, 12),
    isProven: false,
  };
  const all = await listBackups(machine.host, paths, store, { to, ca: undefined });
  expect(all).toEqual(cluster < '0123456789ab' ? [own, foreign] : [foreign, own]);
});
