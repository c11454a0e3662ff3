import { expect, test } from 'vitest';
import { refuseFormer } from '../../../../../../../src/agent/parts/k3s/membership/founding/restored-cluster.ts';
import { parseToken } from '../../../../../../../src/agent/parts/k3s/membership/token.ts';
import { type MemoryHost, unreachable } from '../../../../../../lab/memory-host.ts';
import { formerServer, members, node, paths, peer, record } from '../../a-former-server.ts';
import { aCa } from '../certificates.ts';

const written = Date.UTC(2026, 10, 30, 12);
const restoredAt = (time: number) => JSON.stringify({ data: { restoredAt: new Date(time).toISOString() } });

/** Returns a server whose etcd was last written at `written`, beside a cluster that was restored an hour later. */
function machine(): MemoryHost {
  return formerServer(written)
    .on({ file: 'systemctl', args: /^show k3s.service/ }, 'ActiveState=inactive\n')
    .onGet(record, restoredAt(written + 3_600_000));
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
