import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import { requireNeverServed } from '../../../../../../src/agent/parts/k3s/restore/fresh-server.ts';
import {
  type OtherServers,
  otherServersOf,
  othersOff,
  requireOthersOff,
} from '../../../../../../src/agent/parts/k3s/restore/other-servers.ts';
import {
  noteRestore,
  type Restore,
  restoreOf,
} from '../../../../../../src/agent/parts/k3s/restore/restore-state.ts';
import { type MemoryHost, unreachable } from '../../../../../lab/memory-host.ts';
import { outcome, someSettings } from '../../../a-node.ts';
import { anEtcdServer, aServer, database, paths } from '../datastore/a-datastore.ts';

const own = ['vm-1', '10.0.0.4'];
const alone: OtherServers = { peers: [], registration: [], members: [], own };
const off = unreachable('https://10.0.0.5:6443');
const hangs = new NodeError('TimedOut', 'late');

/** Returns a machine on which these addresses answer, and every other one is off. */
function world(answering: Readonly<Record<string, string | Error>>, ActiveState = 'active'): MemoryHost {
  const { host } = aServer({ ActiveState });
  return host.onPeer(/./, (url) => answering[new URL(url).host] ?? off);
}

async function refusal(host: MemoryHost, servers: Partial<OtherServers>): Promise<string> {
  const refused = await requireOthersOff(host, paths, { ...alone, ...servers }).then(
    () => 'accepted',
    ({ reason, message }) => `${reason}: ${message}`,
  );
  expect(host.mutations).toBe(0);
  return refused;
}

describe('a restore', () => {
  const peers = ['https://10.0.0.4:6443', 'https://10.0.0.5:6443', 'https://[fd00::6]:6443'];

  test.each<readonly [string, Readonly<Record<string, string | Error>>, string]>([
    ['at the port of K3s', { '10.0.0.5:6443': 'a certificate' }, '10.0.0.5:6443'],
    ['only at the port of etcd', { '10.0.0.5:2379': 'a certificate' }, '10.0.0.5:2379'],
    ['at an IPv6 address', { '[fd00::6]:2379': 'a certificate' }, '[fd00::6]:2379'],
    ['without TLS', { '10.0.0.5:6443': new NodeError('UnexpectedAnswer', 'no TLS') }, '10.0.0.5:6443'],
    [
      'and refuses the handshake',
      { '10.0.0.5:2379': new NodeError('TlsUntrusted', 'alert') },
      '10.0.0.5:2379',
    ],
  ])('is refused while a peer answers %s', async (_, answering, address) => {
    const refused = await refusal(world(answering), { peers });
    expect(refused).toMatch(/^RestoreRefused: Nothing was changed: .*k3s-hold.*systemctl disable --now k3s/);
    expect(refused).toContain(`${address} answers`);
  });

  test('is accepted if no connection to a peer is made, and does not ask this machine', async () => {
    const host = world({ '10.0.0.4:6443': 'own' });
    expect(await refusal(host, { peers })).toBe('accepted');
    expect(host.looks.filter((look) => look.includes('10.0.0.4'))).toEqual([]);
  });

  test('is refused while a peer accepts connections and hangs, as a frozen server does', async () => {
    const refused = await refusal(world({ '10.0.0.5:2379': hangs }), { peers });
    expect(refused).toMatch(
      /^RestoreRefused: Nothing was changed: 10\.0\.0\.5:2379 neither.*Stop what listens.*Only if you know/,
    );
    const both = { '10.0.0.5:6443': hangs, '10.0.0.5:2379': 'a certificate' };
    expect(await refusal(world(both), { peers })).toContain('10.0.0.5:2379 answers');
  });

  test('asks all addresses of a name, and is refused if the name has none', async () => {
    const name = { peers: ['https://servers.example.com:6443'] };
    const host = world({ '10.0.0.6:6443': 'a certificate' });
    host.on({ file: 'getent' }, '10.0.0.4 STREAM\n10.0.0.6 STREAM\n');
    expect(await refusal(host, name)).toContain('10.0.0.6:6443 answers');
    host.on({ file: 'getent' }, { exitCode: 2 });
    expect(await refusal(host, name)).toMatch(/servers\.example\.com does not resolve.*--set 'k3s\.peers=/);
  });

  test('is refused while another member of etcd answers, and if nothing shows the members', async () => {
    const host = world({ '10.0.0.6:2379': 'a certificate' });
    expect(await refusal(host, { members: ['https://10.0.0.6:6443'] })).toContain('10.0.0.6:2379 answers');
    const unknown = { members: undefined, registration: ['https://10.0.0.4:6443'] };
    expect(await refusal(host, unknown)).toMatch(/^RestoreRefused: .*nothing shows.*--set 'k3s\.peers=/);
    expect(await refusal(host, { members: undefined, peers: ['https://10.0.0.4:6443'] })).toBe('accepted');
    const down = world({}, 'inactive');
    const balancer = { members: undefined, registration: ['https://10.0.0.9:6443'] };
    expect(await refusal(down, balancer)).toBe('accepted');
    expect(await refusal(host, { members: undefined, peers: ['https://10.0.0.5:6443'] })).toBe('accepted');
  });

  test.each([
    ['active', 'accepted'],
    ['inactive', expect.stringContaining('10.0.0.9:6443 answers')],
  ])('asks the registration address only if K3s does not run here: %s', async (state, verdict) => {
    const host = world({ '10.0.0.9:6443': 'a certificate' }, state);
    expect(await refusal(host, { registration: ['https://10.0.0.9:6443'] })).toEqual(verdict);
  });
});

describe('a restore under way', () => {
  const peers = ['https://10.0.0.5:6443'];
  const copy = { path: '/a', sha256: 'b', datastore: 'etcd', isMove: false, isFresh: false };

  /** Returns how a restore goes on whose peer answers, with this progress noted. */
  async function continued(progress: Partial<Restore>, ActiveState: string): Promise<string> {
    const host = world({ '10.0.0.5:6443': 'a certificate' }, ActiveState);
    await noteRestore(host, paths, { ...(await restoreOf(host, paths, copy)), ...progress });
    return requireOthersOff(host, paths, { ...alone, peers }).then(
      () => 'accepted',
      () => 'refused',
    );
  }

  test.each<readonly [string, Partial<Restore>, string, string]>([
    ['was started with the copy', { isReset: true, isStarted: true }, 'inactive', 'accepted'],
    ['runs with the copy', { isReset: true }, 'active', 'accepted'],
    ['was never started with the copy', { isReset: true }, 'inactive', 'refused'],
    ['has no copy yet', { isStarted: true }, 'active', 'refused'],
  ])('asks no other server once K3s %s', async (_, progress, state, expected) => {
    expect(await continued(progress, state)).toBe(expected);
  });
});

test('K3s waits for a person while another server answers', async () => {
  const servers = { ...alone, peers: ['https://10.0.0.5:6443'] };
  const resource = othersOff(servers, []);
  expect(await outcome(resource, world({}))).toBe('InSync');
  expect(await outcome(resource, world({ '10.0.0.5:6443': 'a certificate' }))).toBe(
    'Waiting RestoreUnfinished',
  );
});

test('the other servers are those of the settings and of config.yaml', async () => {
  const { host } = aServer();
  host.files.write('/etc/rancher/k3s/config.yaml', 'server: https://10.0.0.7:6443\n');
  const settings = someSettings({
    k3s: { datastore: 'etcd', server: 'k3s.example.com', peers: ['10.0.0.5'] },
  });
  expect(await otherServersOf(host, paths, settings, own)).toEqual({
    peers: ['https://10.0.0.5:6443', 'https://10.0.0.7:6443'],
    registration: ['https://k3s.example.com:6443'],
    members: [],
    own,
  });
});

describe('the other members of etcd', () => {
  const settings = someSettings({ k3s: { datastore: 'etcd' } });
  const members = async (host: MemoryHost) => (await otherServersOf(host, paths, settings, own)).members;
  const joined = { name: 'vm-2-1a2b3c4d', peerURLs: ['https://10.0.0.5:2380'] };

  test('are those that K3s names here, although no setting does', async () => {
    const { host, etcd } = anEtcdServer();
    expect(await members(host)).toEqual([]);
    Object.assign(etcd, {
      members: [...etcd.members, joined, { name: '', peerURLs: ['https://[fd00::6]:2380'] }],
    });
    expect(await members(host)).toEqual(['https://10.0.0.5:6443', 'https://[fd00::6]:6443']);
  });

  test('are unknown while K3s is down, and on a machine without a cluster', async () => {
    expect(await members(anEtcdServer({ ActiveState: 'failed' }).host)).toBeUndefined();
    const { host } = anEtcdServer();
    host.onGet('https://127.0.0.1:6443/db/info', { status: 500 });
    expect(await members(host)).toBeUndefined();
    const fresh = aServer({ ActiveState: 'inactive' }).host;
    fresh.files.remove(database);
    expect(await members(fresh)).toBeUndefined();
    const withSqlite = someSettings({ k3s: { datastore: 'sqlite' } });
    expect((await otherServersOf(fresh, paths, withSqlite, own)).members).toEqual([]);
  });

  test('are those that a restore under way has noted', async () => {
    const { host } = anEtcdServer({ ActiveState: 'inactive' });
    const copy = { path: '/a', sha256: 'b', datastore: 'etcd', isMove: false, isFresh: false };
    const noted = await restoreOf(host, paths, copy, ['https://10.0.0.5:6443']);
    await noteRestore(host, paths, noted);
    expect(await members(host)).toEqual(['https://10.0.0.5:6443']);
    await noteRestore(host, paths, { ...noted, datastore: undefined });
    expect(await members(host)).toEqual([]);
  });
});

test('a machine whose data disk is missing is not fresh', async () => {
  const { host } = aServer();
  await requireNeverServed(host, paths);
  host.files.write(paths.k3s.kubeconfig, 'kubeconfig');
  await expect(requireNeverServed(host, paths)).rejects.toThrow(/mount it.*remove \S+founding\.json and/);
});
