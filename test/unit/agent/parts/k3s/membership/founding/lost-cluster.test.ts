import { expect, test } from 'vitest';
import { lostCluster } from '../../../../../../../src/agent/parts/k3s/membership/founding/lost-cluster.ts';
import { nodePaths } from '../../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../../lab/memory-host.ts';
import { aNode } from '../../../../a-node.ts';

const paths = nodePaths('/');
const server = aNode('server', { settings: { k3s: { datastore: 'etcd' } } });
const hadK3s = { [paths.k3s.kubeconfig]: '' };

function record(fields: object) {
  return { [paths.slipway.founding]: JSON.stringify({ format: 1, state: 'member', at: 1, ...fields }) };
}

test('a new server has lost no cluster', async () => {
  expect(await lostCluster(memoryHost(), server)).toBe('');
});

test('the message for the server that founded its cluster names the disk, and why K3s does not start', async () => {
  const message = await lostCluster(memoryHost({ files: { ...hadK3s, ...record({}) } }), server);
  expect(message).toContain('if the disk of /var/lib/rancher/k3s is missing, mount it');
  expect(message).toContain('systemd refuses to start K3s (AssertPathExists= in its unit)');
});

test('the message for a server that joined another one does not mention systemd', async () => {
  const files = { ...hadK3s, ...record({ server: 'https://10.0.0.6:6443' }) };
  const message = await lostCluster(memoryHost({ files }), server);
  expect(message).toContain('mount it');
  expect(message).not.toContain('systemd');
});
