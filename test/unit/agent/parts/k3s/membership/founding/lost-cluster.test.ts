import { expect, test } from 'vitest';
import {
  clusterGone,
  lostCluster,
} from '../../../../../../../src/agent/parts/k3s/membership/founding/lost-cluster.ts';
import type { FoundingRecord } from '../../../../../../../src/agent/parts/k3s/membership/founding/record.ts';
import { nodePaths } from '../../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../../lab/memory-host.ts';
import { aNode } from '../../../../a-node.ts';

const paths = nodePaths('/');
const server = aNode('server', { settings: { k3s: { datastore: 'etcd' } } });
const hadK3s = { [paths.k3s.kubeconfig]: '' };

const peer = 'https://10.0.0.6:6443';

function told(record: FoundingRecord | undefined, files = {}) {
  const text = JSON.stringify({ format: 1, ...record });
  return lostCluster(
    memoryHost({ files: { ...files, ...(record && { [paths.slipway.founding]: text }) } }),
    server,
    record,
  );
}

test.each<[string, FoundingRecord | undefined]>([
  ['without a record', undefined],
  ['that is about to claim its cluster', { state: 'claiming', at: 1 }],
  ['that is about to found its cluster', { state: 'founds', at: 1 }],
  ['that is about to join a cluster', { state: 'joins', server: peer, at: 1 }],
])('a new server %s has lost no cluster', async (_, record) => {
  expect(await told(record)).toBe('');
});

test.each<[string, FoundingRecord | undefined, object]>([
  ['a record of its membership', { state: 'member', at: 1 }, {}],
  ['a record of its move from SQLite', { state: 'migrates', at: 1 }, {}],
  ['the kubeconfig that K3s wrote', undefined, hadK3s],
])('a server with %s has lost its cluster', async (_, record, files) => {
  expect(await told(record, files)).toContain('if the disk of /var/lib/rancher/k3s is missing, mount it');
});

test('the message for the server that founded its cluster says why K3s does not start', async () => {
  const message = await told({ state: 'member', at: 1 }, hadK3s);
  expect(message).toContain('systemd refuses to start K3s (AssertPathExists= in its unit)');
});

test('the message for a server that joined another one does not mention systemd', async () => {
  const message = await told({ state: 'member', server: peer, at: 1 }, hadK3s);
  expect(message).toContain('mount it');
  expect(message).not.toContain('systemd');
});

test('the refusal names the files to remove if the cluster is given up, and a restore', () => {
  const { reason, endedBy, message } = clusterGone(server, ' LOST');
  expect({ reason, endedBy }).toEqual({ reason: 'ClusterExists', endedBy: 'person' });
  expect(message).toContain('names. LOST If');
  expect(message).toContain('slipway restore');
  expect(message).toContain('remove /var/lib/slipway/founding.json and /etc/rancher/k3s/k3s.yaml');
});
