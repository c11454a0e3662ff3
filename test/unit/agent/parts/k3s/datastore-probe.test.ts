import { expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { datastoreProbes } from '../../../../../src/agent/parts/k3s/datastore-probe.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, type NodeChanges } from '../../a-node.ts';

const path = '/etc/rancher/k3s/config.yaml.d/10-slipway-datastore.yaml';
const hints = { firewall: 'the moat' };
const cut = new NodeError('Unreachable', 'Cannot reach http://db:5432/: ECONNRESET. It was cut.');
const refused = new NodeError('Unreachable', 'Cannot reach http://db:5432/: ECONNREFUSED. Nothing listens.');

function withEndpoint(endpoint: string): MemoryHost {
  return memoryHost({ files: { [path]: `datastore-endpoint: "${endpoint}"\n` } });
}

async function verdict(host: MemoryHost, datastore: object = {}) {
  const settings: NodeChanges['settings'] = { k3s: { datastore: 'external' }, datastore };
  const [probe] = datastoreProbes(host, aNode('server', { settings }), hints);
  return probe?.look();
}

test.each([
  ['an agent', aNode('agent')],
  ['a server with SQLite', aNode('server')],
  ['an unknown node', undefined],
])('datastoreProbes is empty for %s', (_, node) => {
  expect(datastoreProbes(memoryHost(), node, hints)).toEqual([]);
});

test.each([
  ['cuts the connection', cut],
  ['answers', 'hello'],
  ['answers something else than HTTP', new NodeError('UnexpectedAnswer', 'it is not an HTTP answer')],
])('the probe is ok if the database server %s', async (_, answer) => {
  const host = withEndpoint('postgres://k3s:canary@db/k3s?sslmode=require').onGet('http://db:5432/', answer);
  expect(await verdict(host)).toEqual({ level: 'ok', message: 'PostgreSQL at db:5432 accepts connections' });
});

test.each([
  ['mysql://k3s:canary@tcp(db)/k3s', {}, 'warning'],
  ['mysql://k3s:canary@tcp(db)/k3s', { caFile: '/ca.pem' }, 'ok'],
])('the probe warns if nothing asks for TLS: %s with %j', async (endpoint, datastore, level) => {
  const host = withEndpoint(endpoint).onGet('http://db:3306/', cut);
  expect(await verdict(host, datastore)).toMatchObject({ level });
});

test('the probe fails if no server can be reached, and warns if only some can', async () => {
  const endpoint = 'https://a:2379,https://b:2379';
  const host = withEndpoint(endpoint).onGet('https://a:2379/', refused).onGet('https://b:2379/', '');
  expect(await verdict(host)).toMatchObject({
    level: 'warning',
    message: `etcd: ${refused.message}`,
    repair: expect.stringContaining('the moat'),
  });
  host.onGet('https://b:2379/', new NodeError('TimedOut', 'b did not answer within 5 s.'));
  expect(await verdict(host)).toMatchObject({ level: 'failure' });
});

test('the probe is skipped while the endpoint is unknown', async () => {
  expect(await verdict(memoryHost())).toMatchObject({ level: 'skipped' });
});
