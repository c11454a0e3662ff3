import { describe, expect, test } from 'vitest';
import { foundingRepaired } from '../../../../../src/agent/parts/k3s/interrupted-founding.ts';
import { lostCluster } from '../../../../../src/agent/parts/k3s/membership/founding/lost-cluster.ts';
import {
  type FoundingRecord,
  readFounding,
  writeFounding,
} from '../../../../../src/agent/parts/k3s/membership/founding/record.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, settle } from '../../a-node.ts';

const paths = nodePaths('/');
const folder = paths.k3s.datastore;
const node = aNode('server', { settings: { k3s: { datastore: 'etcd', init: true } } });
const loopback = `${paths.k3s.serverTls}/temporary-certs/apiserver-loopback-client__.crt`;
const noKeys =
  'time="2026-08-01T10:00:00Z" level=fatal msg="Error: preparing server: failed to bootstrap cluster data: failed to reconcile with local datastore: no bootstrap data found in datastore - check server token value and verify datastore integrity"\n';

interface Interrupted {
  readonly record?: Partial<FoundingRecord>;
  readonly log?: string;
  readonly state?: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** Returns a server on which K3s was killed after it had started etcd, and whose last start failed. */
async function interrupted(server: Interrupted = {}): Promise<MemoryHost> {
  const { record, log = noKeys, state = 'activating\nSubState=auto-restart', files } = server;
  const host = memoryHost({
    files: {
      [`${folder}/etcd/member/wal`]: '',
      [`${folder}/etcd/member/snap/db`]: 'x',
      [paths.k3s.kubeconfig]: '{}',
      ...files,
    },
  });
  host.on({ file: 'systemctl', args: /^show k3s.service/ }, `ActiveState=${state}\nInvocationID=start-1\n`);
  host.on({ file: 'systemctl', args: /^stop k3s.service/ });
  host.on({ file: 'journalctl', args: /start-1/ }, log);
  await writeFounding(host, paths, { state: 'member', claimed: 'a claim', at: host.now(), ...record });
  return host;
}

const databases = (host: MemoryHost) => host.files.list(folder).map((name) => name.replace(/-\d+T\d+Z/, ''));

const noContent = noKeys.replace(
  'no bootstrap data found in datastore - check server token value and verify datastore integrity',
  'failed to create temporary datastore client: failed to read consistent index',
);
const migrated = { [`${folder}/state.db.migrated`]: 'rows' };

describe('foundingRepaired', () => {
  test('moves an etcd aside in which K3s was stopped before anything was written', async () => {
    const host = await interrupted({ log: noContent });
    expect(await settle(foundingRepaired(node, []), host)).toEqual(['Drifted etcd', 'InSync']);
    expect(databases(host)).toEqual(['etcd-incomplete']);
  });

  test('moves an etcd aside that was interrupted before it had a cluster, which the server founds anew', async () => {
    const host = await interrupted();
    expect(await settle(foundingRepaired(node, []), host)).toEqual(['Drifted etcd', 'InSync']);
    expect(databases(host)).toEqual(['etcd-incomplete']);
    const record = await readFounding(host, paths);
    expect(record).toMatchObject({ state: 'founds', claimed: 'a claim' });
    expect(await lostCluster(host, node, record)).toBe('');
    expect(host.journal).toContainEqual({ kind: 'run', command: 'systemctl stop k3s.service' });
  });

  test('lets K3s copy SQLite again if it was interrupted after it had renamed the database', async () => {
    const host = await interrupted({
      record: { state: 'migrates' },
      files: { ...migrated, [loopback]: 'of the time with SQLite' },
    });
    expect(await settle(foundingRepaired(node, []), host)).toEqual(['Drifted etcd', 'InSync']);
    expect(databases(host)).toEqual(['etcd-incomplete', 'state.db']);
    expect(await readFounding(host, paths)).toMatchObject({ state: 'migrates' });
  });

  test('acts twice at most', async () => {
    const host = await interrupted();
    for (let time = 0; time < 3; time += 1) {
      host.files.write(`${folder}/etcd/member/wal`, '');
      await settle(foundingRepaired(node, []), host);
      host.advance(60_000);
    }
    expect(databases(host)).toEqual(['etcd', 'etcd-incomplete', 'etcd-incomplete']);
  });

  test.each<[string, Interrupted]>([
    ['the server has been a member for an hour', { record: { at: memoryHost().now() - 3_600_000 } }],
    [
      'K3s has served the etcd that it copied from SQLite',
      { record: { state: 'migrates' }, files: { ...migrated, [`${folder}/snapshots/on-demand`]: '' } },
    ],
    [
      'the etcd that K3s copied from SQLite is damaged',
      { log: noContent, record: { state: 'migrates' }, files: migrated },
    ],
    ['the API server has run', { files: { [loopback]: 'a certificate' } }],
    ['K3s has reached its snapshots', { files: { [`${folder}/snapshots/on-demand`]: '' } }],
    ['the server has joined another one', { record: { server: 'https://10.0.0.6:6443' } }],
    ['K3s names another cause', { log: noKeys.replace('no bootstrap data found', 'something else') }],
    ['K3s runs', { state: 'active' }],
    ['SQLite is gone', { record: { state: 'migrates' } }],
  ])('changes nothing if %s', async (_, server) => {
    const host = await interrupted(server);
    const before = databases(host);
    expect(await settle(foundingRepaired(node, []), host)).toEqual(['InSync']);
    expect(databases(host)).toEqual(before);
  });
});
