import { expect, test } from 'vitest';
import { reveal } from '../../../../../../../src/agent/engine/secret.ts';
import { refuseFormer } from '../../../../../../../src/agent/parts/k3s/membership/founding/restored-cluster.ts';
import { parseToken } from '../../../../../../../src/agent/parts/k3s/membership/token.ts';
import { nodePaths } from '../../../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost, unreachable } from '../../../../../../lab/memory-host.ts';
import { writeKubeconfigs } from '../../../../a-cluster.ts';
import { aNode } from '../../../../a-node.ts';
import { aCa } from '../certificates.ts';

const paths = nodePaths('/');
const peer = 'https://10.0.0.6:6443';
const node = aNode('server', { settings: { k3s: { datastore: 'etcd', peers: [peer] } } });
const ca = aCa();
const record = `${peer}/api/v1/namespaces/kube-system/configmaps/slipway-restore`;
const written = Date.UTC(2026, 10, 30, 12);
const restoredAt = (time: number) => JSON.stringify({ data: { restoredAt: new Date(time).toISOString() } });
const members = (...names: readonly string[]) => JSON.stringify({ members: names.map((name) => ({ name })) });

/** Returns a server whose etcd was last written at `written`, beside a cluster that was restored an hour later. */
function machine(): MemoryHost {
  const host = memoryHost({
    now: written,
    files: {
      [`${paths.k3s.datastore}/etcd/name`]: 'vm-1-0123abcd',
      [`${paths.k3s.datastore}/etcd/member/wal/0.wal`]: '',
      [paths.k3s.serverCa]: ca,
    },
  });
  writeKubeconfigs(host);
  return host
    .on({ file: 'systemctl', args: /^show k3s.service/ }, 'ActiveState=inactive\n')
    .onGet(`${peer}/ping`, 'pong')
    .onGet(`${peer}/cacerts`, ca)
    .onGet(`${peer}/v1-k3s/encrypt/status`, '{}')
    .onGet(record, restoredAt(written + 3_600_000))
    .onGet(`${peer}/db/info`, ({ headers }) =>
      reveal(headers?.authorization ?? '').startsWith('Basic ') ? members('vm-2-4567abcd') : { status: 401 },
    );
}

function judged(host: MemoryHost): Promise<string> {
  return refuseFormer(host, node, parseToken('secret')).then(
    () => 'may start',
    ({ reason, message }) => `${reason}: ${message}`,
  );
}

test('a server does not start with the former etcd beside a cluster that was restored without it', async () => {
  const host = machine();
  expect(await judged(host)).toMatch(
    /^ClusterExists: .*restored at 2026-11-30T13:00:00.*mv \S+\/db \S+\/db\.former$/,
  );
  expect(host.mutations).toBe(0);
});

test('a vote of the former etcd, or a clock that is ahead, does not let it start', async () => {
  const host = machine().onGet(record, restoredAt(written - 3_600_000));
  expect(await judged(host)).toContain('ClusterExists');
});

test.each<readonly [string, (host: MemoryHost) => void]>([
  ['the cluster has no record of a restore', (host) => host.onGet(record, { status: 404 })],
  ['the record is damaged', (host) => host.onGet(record, '{"data":{"restoredAt":"soon"}}')],
  ['the API has no quorum', (host) => host.onGet(record, { status: 500 })],
  ['the cluster has its member', (host) => host.onGet(`${peer}/db/info`, members('vm-1-0123abcd'))],
  ['the cluster shows no member', (host) => host.onGet(`${peer}/db/info`, members())],
  ['the members are refused', (host) => host.onGet(`${peer}/db/info`, { status: 403 })],
  ['no server answers', (host) => host.onGet(`${peer}/ping`, unreachable(peer))],
  ['its token is refused', (host) => host.onGet(`${peer}/v1-k3s/encrypt/status`, { status: 401 })],
  ['another CA answers', (host) => host.onGet(`${peer}/cacerts`, aCa())],
  ['its disk has no name of a member', (host) => host.files.remove(`${paths.k3s.datastore}/etcd/name`)],
  ['it has no kubeconfig', (host) => host.files.remove(paths.k3s.kubeconfig)],
  ['K3s runs', (host) => host.on({ file: 'systemctl' }, 'ActiveState=active\n')],
])('a server starts with its own etcd if %s', async (_, change) => {
  const host = machine();
  change(host);
  expect(await judged(host)).toBe('may start');
  expect(host.mutations).toBe(0);
});
