import { expect, test } from 'vitest';
import { notBackedUp } from '../../../../../src/agent/parts/backup/not-backed-up.ts';
import { anEtcdServer, aServer, paths } from '../k3s/datastore/a-datastore.ts';

test.each([
  ['SQLite', aServer],
  ['etcd', anEtcdServer],
])('a server with %s is backed up', async (_, server) => {
  expect(await notBackedUp(server().host, paths)).toBeUndefined();
});

test.each([
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
