import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../../src/agent/engine/errors.ts';
import { forPerson } from '../../../../../../../src/agent/engine/severity.ts';
import { recordingHost } from '../../../../../../../src/agent/host/recording/recording-host.ts';
import { fetchOtherVersion } from '../../../../../../../src/agent/parts/k3s/membership/founding/other-version.ts';
import { FakeCloud } from '../../../../../../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost, unreachable } from '../../../../../../lab/memory-host.ts';
import { aNode } from '../../../../a-node.ts';
import { acceptsAt } from '../a-peer.ts';
import { aCa } from '../certificates.ts';

const [a, b, balancer] = ['https://10.0.0.6:6443', 'https://10.0.0.7:6443', 'https://k3s.example.com:6443'];
const tokenFile = '/var/lib/slipway/join-token';
const error = new NodeError('TokenRejected', 'refused', forPerson);
const refused = { caHash: undefined, kind: 'password', credential: 'marlin' } as const;

/** A new server whose vault has rotated from `swordfish` to `marlin`, and whose peers accept `swordfish`. */
function joining({ peers = [a, b], init = false } = {}) {
  const host = memoryHost({ files: { [tokenFile]: 'marlin\n' } });
  host.files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', aCa());
  for (const address of [a, b, balancer]) {
    acceptsAt(host, address, 'swordfish');
    publishes(host, address, {});
  }
  const cloud = new FakeCloud({ secrets: { 'k3s-token': 'swordfish' } });
  cloud.secrets.set('k3s-token', 'marlin');
  const node = aNode('server', { server: balancer, settings: { k3s: { datastore: 'etcd', peers, init } } });
  const run = async () => {
    const finding = fetchOtherVersion(node, cloud, refused, error);
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(host);
    }
  };
  return { host, cloud, run };
}

type World = ReturnType<typeof joining>;

function publishes(host: MemoryHost, address: string, more: object): void {
  const body = JSON.stringify({ format: 1, k3s: 'v1.36.3+k3s1', ...more });
  host.onGet(`${address}/static/slipway/release.json`, body);
}

describe('a new server whose token another server refuses', () => {
  test('takes the former version of the secret if another server lets it join with that', async () => {
    const { host, run } = joining();
    await run();
    expect(host.files.read(tokenFile)).toMatchObject({ content: 'swordfish\n', mode: 0o600 });
    expect(JSON.stringify(host.journal)).not.toMatch(/swordfish|marlin/);
  });

  test('takes the current version of the secret if that is another one', async () => {
    const { host, cloud, run } = joining();
    cloud.secrets.set('k3s-token', 'third');
    await run();
    expect(host.files.text(tokenFile)).toBe('third\n');
  });

  test.each([
    ['that accepts its former token', a],
    ['that only shows that the cluster lives', balancer],
  ])('keeps its token while a server %s publishes that it rotates the token', async (_, address) => {
    const { host, run } = joining({ init: true });
    publishes(host, address, { rotates: true });
    await expect(run()).rejects.toBe(error);
    expect(host.files.text(tokenFile)).toBe('marlin\n');
  });

  test('takes the former version from servers that publish nothing', async () => {
    const { host, run } = joining({ peers: [a] });
    host.onGet(`${a}/static/slipway/release.json`, unreachable(a));
    await run();
    expect(host.files.text(tokenFile)).toBe('swordfish\n');
  });

  test.each([
    ['no server accepts it', ({ host }: World) => [a, b].map((each) => acceptsAt(host, each, 'x'))],
    [
      'the cloud does not show it',
      ({ cloud }: World) => {
        cloud.showsVersions = false;
      },
    ],
    [
      'it is the refused one',
      ({ cloud }: World) => {
        cloud.secrets.set('k3s-token', `K10${'a'.repeat(64)}::server:marlin`);
      },
    ],
    [
      'it is a bootstrap token',
      ({ cloud }: World) => {
        cloud.secrets.set('k3s-token', 'abcdef.0123456789abcdef');
        cloud.secrets.set('k3s-token', 'marlin');
      },
    ],
  ] as const)(
    'reports that the token is refused, and does not take the former version, if %s',
    async (_, change) => {
      const made = joining();
      change(made);
      await expect(made.run()).rejects.toBe(error);
      expect(made.host.files.text(tokenFile)).toBe('marlin\n');
    },
  );

  test('does not take the former version if only an address that may lead to itself accepts it', async () => {
    const { host, run } = joining({ init: true });
    for (const address of [a, b]) {
      acceptsAt(host, address, 'x');
    }
    await expect(run()).rejects.toBe(error);
    expect(host.files.text(tokenFile)).toBe('marlin\n');
  });

  test('changes the join token in one step of several', () => {
    expect(fetchOtherVersion(aNode('server'), new FakeCloud({}), refused, error)).toMatchObject({
      drift: {
        changes: [{ field: 'join token', observed: 'TokenRejected', desired: 'accepted' }],
        partial: true,
      },
    });
  });

  test('fetches nothing for another error', () => {
    const other = new NodeError('ClusterExists', 'foreign', forPerson);
    expect(() => fetchOtherVersion(aNode('server'), new FakeCloud({}), refused, other)).toThrow(other);
  });

  test('reads no secret in a dry run', async () => {
    const { host, cloud } = joining();
    const finding = fetchOtherVersion(aNode('server'), cloud, refused, error);
    await (finding.state === 'Drifted' ? finding.drift.remedy(recordingHost(host)) : undefined);
    expect([cloud.calls, host.files.text(tokenFile)]).toEqual([[], 'marlin\n']);
  });
});
