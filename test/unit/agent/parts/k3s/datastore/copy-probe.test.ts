import { expect, test } from 'vitest';
import { inSync, type Resource } from '../../../../../../src/agent/engine/resource.ts';
import { copyProbes } from '../../../../../../src/agent/parts/k3s/datastore/copy-probe.ts';
import { copyStatus } from '../../../../../../src/agent/parts/k3s/datastore/copy-status.ts';
import { copyStep } from '../../../../../../src/agent/parts/k3s/datastore/copy-step.ts';
import type { MemoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, settle } from '../../../a-node.ts';
import { anEtcdServer, aServer, datastoreSql } from './a-datastore.ts';

const forWhat = { reason: 'upgrade v1.36.4+k3s1', version: 'v1.36.3+k3s1' };
const copy: Resource = {
  id: 'Copy',
  summary: 'copy',
  condition: 'K3sBinary',
  check: async (host) => (await copyStep(host, aNode('server'), forWhat)) ?? inSync(),
};

async function verdict(host: MemoryHost, role: 'server' | 'agent' = 'server'): Promise<string> {
  const [probe] = copyProbes(host, aNode(role));
  const found = await probe?.look();
  return found ? `${found.level} ${found.message}` : 'no probe';
}

test('the probe and the reports show the copies of the datastore', async () => {
  const { host } = aServer();
  expect(await verdict(host)).toBe('ok none yet: Slipway makes one before it upgrades K3s');
  expect(await copyStatus(host, aNode('server'))).toEqual({ datastore: 'sqlite', made: [] });
  await settle(copy, host);
  expect(await verdict(host)).toBe(
    'ok 1; the last one was made at 2026-11-30T12:00Z, before: upgrade v1.36.4+k3s1 (1 MB)',
  );
  expect((await copyStatus(host, aNode('server')))?.made).toEqual([
    { madeAt: Date.UTC(2026, 10, 30, 12), bytes: Buffer.byteLength(datastoreSql()), reason: forWhat.reason },
  ]);
});

test('a copy that was truncated does not count', async () => {
  const { host } = aServer();
  await settle(copy, host);
  const [name = ''] = host.files.list('/var/lib/slipway/backup');
  host.files.write(`/var/lib/slipway/backup/${name}`, 'short', 0o600);
  expect(await copyStatus(host, aNode('server'))).toEqual({ datastore: 'sqlite', made: [] });
});

test('a node that makes no copies shows none', async () => {
  const { host } = aServer();
  expect([await verdict(host, 'agent'), await copyStatus(host, aNode('agent'))]).toEqual([
    'no probe',
    undefined,
  ]);
});

test('the probe and the reports show the copies of etcd', async () => {
  const { host } = anEtcdServer();
  expect(await verdict(host)).toBe(
    'ok none yet: Slipway makes one before it upgrades K3s, if no other server has the data',
  );
  await settle(copy, host);
  expect(await verdict(host)).toMatch(/^ok 1; the last one was made at 2026-11-30T12:00Z, before: upgrade/);
  expect(await copyStatus(host, aNode('server'))).toMatchObject({ datastore: 'etcd', made: [{}] });
});

test('copyProbes names the tools of the database on a server with an external datastore', async () => {
  const { host } = aServer();
  const endpoint = 'datastore-endpoint: postgres://k3s:canary@db/k3s\n';
  host.files.write('/etc/rancher/k3s/config.yaml.d/10-slipway-datastore.yaml', endpoint, 0o600);
  const told = await verdict(host);
  expect(told).toMatch(/^skipped Slipway upgrades K3s without a copy of an external datastore.*pg_dump/);
  expect(told).not.toContain('canary');
});
