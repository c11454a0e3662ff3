import { reveal } from '../../../../../src/agent/engine/secret.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost, unreachable } from '../../../../lab/memory-host.ts';
import { writeKubeconfigs } from '../../a-cluster.ts';
import { aNode } from '../../a-node.ts';
import { aCa } from './membership/certificates.ts';

export const paths = nodePaths('/');
/** The server that the cluster of a former server has now. */
export const peer = 'https://10.0.0.6:6443';
/** The address of the record of a restore. */
export const record = recordAt(peer);
/** A server that does not answer, unless a test has it show a cluster. */
export const otherPeer = 'https://10.0.0.7:6443';
export const node = aNode('server', { settings: { k3s: { datastore: 'etcd', peers: [peer, otherPeer] } } });
const ca = aCa();

function recordAt(address: string): string {
  return `${address}/api/v1/namespaces/kube-system/configmaps/slipway-restore`;
}

/** Returns the answer of `/db/info` with these members. */
export function members(...names: readonly string[]): string {
  return JSON.stringify({ members: names.map((name) => ({ name })) });
}

/**
 * Returns a server, the member vm-1-0123abcd, whose disk has an etcd that its cluster goes on without. The cluster has
 * one other member, its token is `secret`, and it has no record of a restore.
 */
export function formerServer(now?: number): MemoryHost {
  const host = memoryHost({
    ...(now !== undefined && { now }),
    files: {
      [`${paths.k3s.datastore}/etcd/name`]: 'vm-1-0123abcd',
      [`${paths.k3s.datastore}/etcd/member/wal/0.wal`]: '',
      [paths.k3s.serverCa]: ca,
    },
  });
  writeKubeconfigs(host);
  return showCluster(host, peer, 'vm-2-4567abcd').onGet(`${otherPeer}/ping`, unreachable(otherPeer));
}

/** Makes a server at an address accept the token, and show a cluster with these members. */
export function showCluster(host: MemoryHost, address: string, ...names: readonly string[]): MemoryHost {
  return host
    .onGet(`${address}/ping`, 'pong')
    .onGet(`${address}/cacerts`, ca)
    .onGet(`${address}/v1-k3s/encrypt/status`, '{}')
    .onGet(recordAt(address), { status: 404 })
    .onGet(`${address}/db/info`, ({ headers }) =>
      reveal(headers?.authorization ?? '').startsWith('Basic ') ? members(...names) : { status: 401 },
    );
}
