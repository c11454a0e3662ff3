import { join } from 'node:path';
import { reveal } from '../../src/agent/engine/secret.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { type MemoryHost, unreachable } from '../lab/memory-host.ts';

export const peerUrl = 'https://10.0.0.6:6443';
export const registrationUrl = 'https://k3s.example.com:6443';

const paths = nodePaths('/');
const sqlite = join(paths.k3s.datastore, 'state.db');
const tombstone = join(paths.k3s.datastore, 'etcd/tombstone');
const log = join(paths.k3s.datastore, 'etcd/member/wal');

/** Another server of a cluster with embedded etcd, and what a start of K3s does with etcd on this VM. */
export interface EtcdPeer {
  /** The token and the CA of the other server; undefined while it is down. */
  cluster: { token: string; ca: string } | undefined;
  /** What the other server shows of its settings. */
  config: Readonly<Record<string, unknown>>;
  /** The K3s release that the other server publishes. */
  release: string;
  /** True if the other server publishes that it rotates the join token. */
  rotates: boolean;
  /** How each start of K3s on this VM came to its cluster. */
  readonly ways: ('founded' | 'joined' | 'kept' | 'sqlite' | 'migrated')[];
  /** Starts the datastore that K3s would pick (pkg/cluster/managed.go); returns the error line if it cannot join. */
  start(
    config: { readonly server?: string; readonly 'cluster-init'?: boolean },
    token: string,
  ): string | undefined;
}

export function etcdPeer(host: MemoryHost): EtcdPeer {
  const peer: EtcdPeer = {
    cluster: undefined,
    config: { ClusterIPRanges: [{ IP: '10.42.0.0', Mask: '//8AAA==' }], FlannelBackend: 'vxlan' },
    release: 'v1.36.3+k3s1',
    rotates: false,
    ways: [],
    start(config, token) {
      if (host.files.stat(tombstone) !== undefined) {
        if (config.server === undefined) {
          return 'level=fatal msg="tombstone file has been detected but --server is empty"';
        }
        host.files.remove(paths.k3s.datastore);
      }
      if (host.files.stat(log) !== undefined) {
        peer.ways.push('kept');
        return undefined;
      }
      if (config.server !== undefined) {
        if (config.server !== peerUrl || peer.cluster?.token !== token) {
          return `level=fatal msg="starting kubernetes: preparing server: failed to get CA certs: Get \\"${config.server}/cacerts\\": dial tcp: connect: connection refused"`;
        }
        peer.ways.push('joined');
      } else {
        const isMoving = config['cluster-init'] && host.files.stat(sqlite) !== undefined;
        peer.ways.push(isMoving ? 'migrated' : config['cluster-init'] ? 'founded' : 'sqlite');
        if (isMoving) {
          host.files.write(`${sqlite}.migrated`, host.files.text(sqlite) ?? '', 0o600);
          host.files.remove(sqlite);
        }
      }
      if (peer.ways.at(-1) !== 'sqlite') {
        host.files.write(log, '');
      }
      return undefined;
    },
  };
  const down = unreachable(peerUrl);
  host.onGet(`${registrationUrl}/ping`, unreachable(registrationUrl));
  host.onGet(`${peerUrl}/ping`, () => (peer.cluster ? 'pong' : down));
  host.onGet(`${peerUrl}/cacerts`, () => peer.cluster?.ca ?? down);
  host.onGet(`${peerUrl}/v1-k3s/encrypt/status`, ({ headers }) => {
    const wanted = `Basic ${Buffer.from(`server:${peer.cluster?.token}`).toString('base64')}`;
    return reveal(headers?.authorization ?? '') === wanted ? '{}' : { status: 401, body: 'not authorized' };
  });
  host.onGet(`${peerUrl}/v1-k3s/config`, () => (peer.cluster ? JSON.stringify(peer.config) : down));
  host.onGet(`${peerUrl}/static/slipway/release.json`, () =>
    peer.cluster
      ? JSON.stringify({ format: 1, k3s: peer.release, ...(peer.rotates && { rotates: true }) })
      : down,
  );
  host.onGet('http://127.0.0.1:2381/health', unreachable('http://127.0.0.1:2381'));
  return peer;
}
