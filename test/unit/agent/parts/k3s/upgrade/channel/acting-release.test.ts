import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../../src/agent/engine/errors.ts';
import {
  type ActingName,
  releaseSource,
} from '../../../../../../../src/agent/parts/k3s/upgrade/channel/acting-release.ts';
import { type MemoryHost, memoryHost } from '../../../../../../lab/memory-host.ts';
import { makeAuthority } from '../../../../../../lab/standins/k3s-certificates.ts';
import { aCluster } from '../../../../a-cluster.ts';
import { aNode } from '../../../../a-node.ts';
import { old, patch } from '../an-upgrade.ts';

const peer = 'https://10.0.0.9:6443';
const node = aNode('server', {
  settings: { k3s: { datastore: 'etcd', channel: 'stable', version: undefined, peers: ['10.0.0.9'] } },
});

/** A host with a token, whose peer publishes a release, if one is given. */
function aServer(release?: string): MemoryHost {
  const host = memoryHost({ files: { '/var/lib/slipway/join-token': 'swordfish\n' } });
  const ca = makeAuthority('k3s-server-ca@1700000000').certificate;
  host.onGet(`${peer}/ping`, 'pong').onGet(`${peer}/cacerts`, ca);
  const published = JSON.stringify({ format: 1, k3s: release });
  return host.onGet(`${peer}/static/slipway/release.json`, release ? published : { status: 404 });
}

/** A server of a cluster in which `server-2` runs the release `patch`, and a peer that lags behind. */
function aMember(): MemoryHost {
  const host = aServer(old);
  host.files.write('/var/lib/rancher/k3s/server/token', 'K10::server:swordfish\n', 0o600);
  aCluster(host).objects.put('nodes', undefined, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'server-2' },
    status: { nodeInfo: { kubeletVersion: patch } },
  });
  return host;
}

const acts =
  (name: string | undefined): ActingName =>
  async () =>
    name;

const fails: ActingName = async () => {
  throw new NodeError('ApiUnavailable', 'no answer');
};

describe('a server that has joined', () => {
  test.each<readonly [string, ActingName, object]>([
    ['asks the channel while it acts', acts(node.name), { ask: true }],
    ['follows the acting server, not its peer', acts('server-2'), { ask: false, release: patch }],
    ['keeps its release while none acts', acts(undefined), { ask: false, release: undefined }],
    ['keeps its release while the Node of the acting one is gone', acts('server-3'), { ask: false }],
    ['keeps its release while the API does not answer', fails, { ask: false, release: undefined }],
  ])('%s', async (_, actingName, expected) => {
    expect(await releaseSource(aMember(), node, actingName)).toMatchObject(expected);
  });
});

describe('a server that has not joined', () => {
  const founding = '/var/lib/slipway/founding.json';
  const record = (state: string) => JSON.stringify({ format: 1, state, at: 0 });

  test('takes the release of the cluster, even if it was to found one', async () => {
    const host = aServer(old);
    host.files.write(founding, record('founds'), 0o600);
    expect(await releaseSource(host, node, fails)).toEqual({ ask: false, release: old });
  });

  test.each([
    ['asks the channel once it founds the cluster', 'founds', { ask: true }],
    ['waits while it claims the cluster', 'claiming', { ask: false, release: undefined }],
    ['waits while it joins', 'joins', { ask: false, release: undefined }],
  ])('%s, if nothing publishes a release', async (_, state, expected) => {
    const host = aServer();
    host.files.write(founding, record(state), 0o600);
    expect(await releaseSource(host, node, fails)).toEqual(expected);
  });

  test('asks the channel, with a database of its own', async () => {
    const external = aNode('server', { settings: { k3s: { ...node.settings.k3s, datastore: 'external' } } });
    expect(await releaseSource(aServer(), external, fails)).toEqual({ ask: true });
  });
});
