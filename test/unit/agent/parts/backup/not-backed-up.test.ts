import { expect, test } from 'vitest';
import { notBackedUp } from '../../../../../src/agent/parts/backup/not-backed-up.ts';
import { aServer, paths } from '../k3s/datastore/a-datastore.ts';

test('a server with SQLite is backed up', async () => {
  expect(await notBackedUp(aServer().host, paths)).toBeUndefined();
});

test.each([
  ['etcd', '/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal', '', 'k3s etcd-snapshot save'],
  [
    'an external datastore',
    '/etc/rancher/k3s/config.yaml',
    'datastore-endpoint: mysql://x\n',
    'the tools of the database',
  ],
])(
  'a server with %s is not backed up, and the reason names what makes its backups',
  async (_, path, text, how) => {
    const { host } = aServer();
    host.files.write(path, text);
    expect(await notBackedUp(host, paths)).toContain(how);
  },
);
