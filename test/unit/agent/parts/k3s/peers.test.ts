import { expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { peersProbe } from '../../../../../src/agent/parts/k3s/peers.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aCluster } from '../../a-cluster.ts';
import { aNode } from '../../a-node.ts';

const hints = { firewall: 'the moat' };
const refused = { status: 401, body: 'Unauthorized' };

function unreachable(message: string) {
  return new NodeError('Unreachable', message);
}

/** Returns a server whose cluster has a Node for each of these addresses. */
function cluster(addresses: readonly string[]) {
  const host = memoryHost();
  const { objects } = aCluster(host);
  for (const [at, address] of addresses.entries()) {
    const name = `vm-${at + 1}`;
    const hostname = { type: 'Hostname', address: name };
    const status = { addresses: [hostname, { type: 'InternalIP', address }] };
    objects.put('nodes', undefined, { apiVersion: 'v1', kind: 'Node', metadata: { name }, status });
  }
  return host;
}

test('peersProbe on an agent accepts any answer from the server and from the kubelet of the server', async () => {
  const host = memoryHost()
    .onGet('https://10.0.0.4:6443/ping', 'pong')
    .onGet('https://10.0.0.4:10250/healthz', refused);
  expect(await peersProbe(host, aNode('agent'), hints).look()).toEqual({
    level: 'ok',
    message: '2 of 2 answer',
  });
});

test.each([
  [
    'whose firewall rejects packets',
    unreachable('connect EHOSTUNREACH 10.0.0.4:10250'),
    'no route to host: a firewall of',
  ],
  [
    'on which nothing listens',
    unreachable('connect ECONNREFUSED 10.0.0.4:10250'),
    'the connection is refused',
  ],
  [
    'whose firewall drops packets',
    new NodeError('TimedOut', 'No answer in time.'),
    'no answer: a firewall drops',
  ],
])('peersProbe on an agent reports a peer %s', async (_, error, words) => {
  const host = memoryHost()
    .onGet('https://10.0.0.4:6443/ping', 'pong')
    .onGet('https://10.0.0.4:10250/healthz', error);
  expect(await peersProbe(host, aNode('agent'), hints).look()).toMatchObject({
    level: 'warning',
    message: expect.stringContaining(`10.0.0.4:10250 (${words}`),
    repair: expect.stringContaining('on 10.0.0.4: sudo slipway doctor'),
  });
});

test('peersProbe on a server probes the kubelet of every other node', async () => {
  const host = cluster(['10.0.0.5', '10.0.0.6', 'fd00::7', 'not an address'])
    .onGet('https://10.0.0.6:10250/healthz', refused)
    .onGet('https://[fd00::7]:10250/healthz', unreachable('connect EHOSTUNREACH fd00::7'));
  expect((await peersProbe(host, aNode('server'), hints).look()).message).toBe(
    '[fd00::7]:10250 (no route to host: a firewall of that node rejects, or it is off)',
  );
});

test('peersProbe on a server probes at most 20 other nodes, and reports how many it did not probe', async () => {
  const others = Array.from({ length: 30 }, (_, at) => `10.0.1.${at + 1}`);
  const host = cluster(others);
  for (const address of others.slice(0, 20)) {
    host.onGet(`https://${address}:10250/healthz`, refused);
  }
  expect(await peersProbe(host, aNode('server'), hints).look()).toEqual({
    level: 'ok',
    message: '20 of 20 answer; 10 more are not probed',
  });
});

test.each([
  ['on a node whose role is unknown', undefined],
  ['on a server whose API does not answer', aNode('server')],
  ['on a server below another root', aNode('server', { root: '/mnt' })],
])('peersProbe skips the peers %s', async (_, node) => {
  const host = memoryHost();
  aCluster(host).isUp = () => false;
  expect(await peersProbe(host, node, hints).look()).toMatchObject({ level: 'skipped' });
});
