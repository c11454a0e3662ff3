import { expect, test } from 'vitest';
import { followedPeer } from '../../../../../../../src/agent/parts/k3s/membership/founding/followed-peer.ts';
import { parseToken } from '../../../../../../../src/agent/parts/k3s/membership/token.ts';
import { memoryHost } from '../../../../../../lab/memory-host.ts';
import { aNode } from '../../../../a-node.ts';
import { aCa } from '../certificates.ts';

const [peer, gone] = ['https://10.0.0.6:6443', 'https://10.0.0.8:6443'];
const node = aNode('server', { settings: { k3s: { datastore: 'etcd', peers: [peer] } } });
const token = parseToken('join-token-canary');
const member = { state: 'member', at: 1 } as const;

test.each([
  ['names the first peer that accepts the token', { ...member, server: gone }, token, peer],
  ['keeps the server without a token to show', { ...member, server: gone }, undefined, undefined],
  ['keeps a server that is still listed', { ...member, server: peer }, token, undefined],
  ['leaves the server that founded the cluster without one', member, token, undefined],
])('followedPeer %s', async (_, record, shown, expected) => {
  const host = memoryHost()
    .onGet(`${peer}/ping`, 'pong')
    .onGet(`${peer}/cacerts`, aCa())
    .onGet(`${peer}/v1-k3s/encrypt/status`, '{}');
  expect(await followedPeer(host, node, record, shown)).toBe(expected);
});
