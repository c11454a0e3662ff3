import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../../src/agent/engine/errors.ts';
import { reveal } from '../../../../../../../src/agent/engine/secret.ts';
import { systemError } from '../../../../../../../src/agent/host/files/file-errors.ts';
import { etcdFounding } from '../../../../../../../src/agent/parts/k3s/membership/founding/etcd-founding.ts';
import { keepingMembership } from '../../../../../../../src/agent/parts/k3s/membership/founding/kept-membership.ts';
import { foundingMemory } from '../../../../../../../src/agent/parts/k3s/membership/founding/memory.ts';
import { kindOf } from '../../../../../../../src/agent/parts/k3s/membership/kinds/kinds.ts';
import { nodePaths } from '../../../../../../../src/agent/paths.ts';
import { FakeCloud } from '../../../../../../lab/fake-cloud.ts';
import { memoryClaims } from '../../../../../../lab/memory-claims.ts';
import { type MemoryHost, memoryHost, unreachable } from '../../../../../../lab/memory-host.ts';
import { aNode, type NodeChanges, outcome, settle } from '../../../../a-node.ts';
import { aCa } from '../certificates.ts';

const paths = nodePaths('/');
const [a, b] = ['https://10.0.0.6:6443', 'https://10.0.0.7:6443'];
const status = `${a}/v1-k3s/encrypt/status`;
const lb = 'https://k3s.example.com:6443';
const token = 'join-token-canary';
const cloud = new FakeCloud({ secrets: { 'k3s-token': token } });
const member = { '/var/lib/rancher/k3s/server/db/etcd/member/wal': '' };
const minute = 60_000;

function server({
  init = false,
  peers = [a, b],
  ...changes
}: NodeChanges & { init?: boolean; peers?: string[] } = {}) {
  const k3s = { datastore: 'etcd', init, peers };
  return aNode('server', { vmId: 'vm-id-1', ...changes, settings: { k3s, ...changes.settings } });
}

/** Returns a machine with a join token, on which K3s does not run, and on which other servers are silent. */
function machine(files = {}): MemoryHost {
  const host = memoryHost({ files: { [paths.slipway.joinToken]: `${token}\n`, ...files } });
  host.on({ file: 'systemctl', args: /^show k3s.service/ }, 'ActiveState=inactive\n');
  for (const address of [a, b, lb]) {
    host.onGet(`${address}/ping`, unreachable(address));
  }
  return host;
}

function answers(host: MemoryHost, address: string, accepted = token): MemoryHost {
  return host
    .onGet(`${address}/ping`, 'pong')
    .onGet(`${address}/cacerts`, aCa())
    .onGet(`${address}/v1-k3s/encrypt/status`, ({ headers }) =>
      reveal(headers?.authorization ?? '') === `Basic ${Buffer.from(`server:${accepted}`).toString('base64')}`
        ? '{}'
        : { status: 401 },
    );
}

const inCertificate = {
  settings: { k3s: { datastore: 'etcd', init: true, peers: [a], config: { 'tls-san': 'api.example.com' } } },
};

/** Returns the error of a request or a handshake that failed with this code of the system. */
function failed(code: string): NodeError {
  return new NodeError('Unreachable', `Cannot reach it: ${code}.`, { cause: systemError(code) });
}

function founding(node = server(), claims = memoryClaims()) {
  return etcdFounding(node, { memory: foundingMemory(), claims, cloud }, []);
}

async function kind(host: MemoryHost, node = server()): Promise<string> {
  return kindOf(await keepingMembership(host, node)).name;
}

describe('etcdFounding', () => {
  test('joins a peer that accepts the token of the server', async () => {
    const host = answers(machine(), b);
    expect(await settle(founding(), host)).toEqual(['Drifted membership', 'InSync']);
    expect((await keepingMembership(host, server())).joins).toBe(b);
    expect(await kind(host)).toBe('joiningServer');
  });

  test('never shows the token of the server to a peer with another CA than the pinned one', async () => {
    // The machine does not foresee a request with the token.
    const host = machine({ [paths.slipway.joinToken]: `K10${'0'.repeat(64)}::server:${token}` })
      .onGet(`${a}/ping`, 'pong')
      .onGet(`${a}/cacerts`, aCa());
    expect(await outcome(founding(), host)).toBe('ClusterExists (person)');
  });

  test('reports a peer that refuses the token', async () => {
    expect((await settle(founding(), answers(machine(), a, 'other'))).at(-1)).toBe('TokenRejected (person)');
  });

  test('an unmarked server waits for hours', async () => {
    const host = machine();
    const resource = founding();
    await outcome(resource, host);
    await host.sleep(600 * minute);
    expect(await outcome(resource, host)).toBe('Waiting FoundingWaits');
  });

  test('a marked server claims the cluster after five minutes of silence, and once only', async () => {
    const host = machine();
    const claims = memoryClaims();
    const resource = founding(server({ init: true }), claims);
    expect(await outcome(resource, host)).toBe('Waiting FoundingWaits');
    await host.sleep(5 * minute - 1);
    expect(await outcome(resource, host)).toBe('Waiting FoundingWaits');
    await host.sleep(1);
    expect(await settle(resource, host)).toEqual(['Drifted claim', 'InSync']);
    expect(await kind(host)).toBe('firstServer');
    expect([...claims.objects.keys()]).toEqual([expect.stringMatching(/^founding\/[0-9a-f]{12}\.json$/)]);
    expect([...claims.objects.values()].join()).not.toContain(token);
  });

  test('a new process counts the silence anew', async () => {
    const host = machine();
    await outcome(founding(server({ init: true })), host);
    await host.sleep(5 * minute);
    expect(await outcome(founding(server({ init: true })), host)).toBe('Waiting FoundingWaits');
  });

  test('an answer in between makes the silence begin anew', async () => {
    const host = machine();
    const resource = founding(server({ init: true }));
    await outcome(resource, host);
    await host.sleep(4 * minute);
    host.onGet(`${a}/ping`, { status: 503 });
    expect(await outcome(resource, host)).toBe('Waiting FoundingWaits');
    host.onGet(`${a}/ping`, unreachable(a));
    await host.sleep(minute);
    expect(await outcome(resource, host)).toBe('Waiting FoundingWaits');
  });

  const late = new NodeError('TimedOut', 'It did not answer within 5 s.');
  const untrusted = new NodeError('TlsUntrusted', 'The certificate is not trusted.');

  test.each<[string, (host: MemoryHost) => MemoryHost]>([
    ['does not say in time whether it accepts the token', (host) => answers(host, a).onGet(status, late)],
    [
      'closes the connection before it answers that',
      (host) => answers(host, a).onGet(status, unreachable(a)),
    ],
    [
      'stands behind a balancer with its own certificate',
      (host) => answers(host, a).onGet(status, untrusted),
    ],
    ['does not show its CA in time', (host) => answers(host, a).onGet(`${a}/cacerts`, late)],
    ['answers 502 to a ping', (host) => host.onGet(`${a}/ping`, { status: 502 })],
    ['answers a ping with a broken handshake', (host) => host.onGet(`${a}/ping`, untrusted)],
    [
      'does not answer a ping as HTTP',
      (host) => host.onGet(`${a}/ping`, new NodeError('UnexpectedAnswer', '')),
    ],
    [
      'shows a certificate, but answers no ping in time',
      (host) => host.onGet(`${a}/ping`, late).onPeer(a, aCa()),
    ],
    [
      'closes the connection after the handshake',
      (host) => host.onGet(`${a}/ping`, failed('ECONNRESET')).onPeer(a, aCa()),
    ],
  ])('a server that %s is not silent', async (_, prepare) => {
    const host = machine();
    const resource = founding(server({ init: true }));
    await outcome(resource, host);
    await host.sleep(4 * minute);
    prepare(host);
    expect(await resource.check(host)).toMatchObject({
      reason: 'FoundingWaits',
      message: expect.stringContaining(`${a} answers, but`),
    });
    await host.sleep(10 * minute);
    expect(await outcome(resource, host)).toBe('Waiting FoundingWaits');
    host.onGet(`${a}/ping`, unreachable(a));
    expect(await outcome(resource, host)).toBe('Waiting FoundingWaits');
  });

  test.each([
    ['a peer has no address', { peers: ['server-2.example.com'] }, 'ENOTFOUND', 'server-2.example.com'],
    ['a peer cannot be looked up', { peers: ['server-2.example.com'] }, 'EAI_AGAIN', 'server-2.example.com'],
    ['the registration address has no address', { server: lb }, 'ENOTFOUND', 'k3s.example.com'],
    ['a name in tls-san cannot be looked up', inCertificate, 'EAI_AGAIN', 'api.example.com'],
  ])('a marked server waits for ever if %s in DNS', async (_, changes, code, name) => {
    const host = machine().on({ file: 'getent' }, { exitCode: 2 });
    host.onGet(`https://${name}:6443/ping`, failed(code));
    const resource = founding(server({ init: true, ...changes }));
    await outcome(resource, host);
    await host.sleep(600 * minute);
    expect(await resource.check(host)).toMatchObject({
      reason: 'FoundingWaits',
      isExpected: false,
      message: expect.stringContaining(`The name ${name} does not resolve`),
    });
  });

  test('the silence begins once the name of a peer resolves', async () => {
    const host = machine().on({ file: 'getent' }, { exitCode: 2 });
    const ping = 'https://server-2.example.com:6443/ping';
    const resource = founding(server({ init: true, peers: ['server-2.example.com'] }));
    host.onGet(ping, failed('EAI_AGAIN'));
    await outcome(resource, host);
    await host.sleep(10 * minute);
    host.onGet(ping, unreachable(ping));
    expect(await outcome(resource, host)).toBe('Waiting FoundingWaits');
    await host.sleep(5 * minute);
    expect(await settle(resource, host)).toEqual(['Drifted claim', 'InSync']);
  });

  test('a name in tls-san that does not exist is silent, because no server can have joined there', async () => {
    const host = machine().onGet('https://api.example.com:6443/ping', failed('ENOTFOUND'));
    const resource = founding(server({ init: true, ...inCertificate }));
    await outcome(resource, host);
    await host.sleep(5 * minute);
    expect(await settle(resource, host)).toEqual(['Drifted claim', 'InSync']);
  });

  test.each([
    ['its record', { [paths.slipway.founding]: '{"format":1,"state":"member","at":1}' }],
    ['the kubeconfig of K3s', { [paths.k3s.kubeconfig]: '' }],
  ])('an old consent lets no server found a cluster beside the one that %s shows', async (_, files) => {
    const host = machine(files);
    const settings = { consent: { founding: ['vm-id-1'] } };
    const resource = founding(server({ init: true, settings }));
    await outcome(resource, host);
    await host.sleep(600 * minute);
    await expect(resource.check(host)).rejects.toMatchObject({
      reason: 'ClusterExists',
      message: expect.stringContaining('if the disk of /var/lib/rancher/k3s is missing, mount it'),
    });
    for (const path of Object.keys(files)) {
      host.files.remove(path);
    }
    expect(await settle(resource, host)).toEqual(['Drifted membership', 'InSync']);
  });

  test('a server that is off, so that packets to it are lost, is silent', async () => {
    const host = machine().onGet(`${a}/ping`, late).onPeer(a, failed('ETIMEDOUT'));
    const resource = founding(server({ init: true }));
    await outcome(resource, host);
    await host.sleep(5 * minute);
    expect(await settle(resource, host)).toEqual(['Drifted claim', 'InSync']);
  });

  test('a balancer without a living server, which closes each connection, is silent', async () => {
    const host = machine().onGet(`${a}/ping`, failed('ECONNRESET')).onPeer(a, failed('ECONNRESET'));
    const resource = founding(server({ init: true }));
    await outcome(resource, host);
    await host.sleep(5 * minute);
    expect(await settle(resource, host)).toEqual(['Drifted claim', 'InSync']);
  });

  test.each([
    ['a peer', a, {}],
    ['the registration address', lb, { server: lb }],
  ])('a marked server waits for ever while %s accepts connections and hangs', async (_, address, changes) => {
    const host = machine().onGet(`${address}/ping`, late).onPeer(address, late);
    const resource = founding(server({ init: true, ...changes }));
    await outcome(resource, host);
    await host.sleep(600 * minute);
    expect(await resource.check(host)).toMatchObject({
      reason: 'FoundingWaits',
      isExpected: false,
      message: expect.stringMatching(
        new RegExp(
          `^${address} neither answers nor refuses.*end what listens.*Only if you know.*take the address out`,
        ),
      ),
    });
    host.onGet(`${address}/ping`, unreachable(address));
    await outcome(resource, host);
    await host.sleep(5 * minute);
    expect(await settle(resource, host)).toEqual(['Drifted claim', 'InSync']);
  });

  test('joins a peer that accepts the token although another one hangs', async () => {
    const host = answers(machine(), b).onGet(`${a}/ping`, late).onPeer(a, late);
    expect(await settle(founding(), host)).toEqual(['Drifted membership', 'InSync']);
  });

  test('a server whose claim exists does not found a cluster, and names both ways out', async () => {
    const claims = memoryClaims();
    const first = machine();
    const one = founding(server({ init: true }), claims);
    await outcome(one, first);
    await first.sleep(5 * minute);
    await settle(one, first);
    // The VM keeps its id when it is reimaged, but loses its disk.
    const rebuilt = machine();
    const again = founding(server({ init: true }), claims);
    await outcome(again, rebuilt);
    await rebuilt.sleep(5 * minute);
    expect((await settle(again, rebuilt)).at(-1)).toBe('ClusterExists (person)');
    const thrown = await again.check(rebuilt).catch((error) => error);
    const finding = 'state' in thrown && thrown.state === 'Drifted' ? thrown : undefined;
    const failure = await finding?.drift.remedy(rebuilt).catch((error: Error) => error.message);
    expect(failure).toMatch(/slipway restore/);
    expect(failure).toContain('consent: { founding: [vm-id-1] }');
  });

  test('a claim in doubt is a failure and no claim; the next attempt has the same text', async () => {
    const claims = memoryClaims();
    const host = machine();
    const resource = founding(server({ init: true }), claims);
    await outcome(resource, host);
    await host.sleep(5 * minute);
    claims.failures.push('after');
    expect(await settle(resource, host)).toEqual(['Drifted claim', 'Unreachable (time)']);
    expect(await kind(host)).toBe('firstServer');
    expect(await settle(resource, host)).toEqual(['Drifted claim', 'InSync']);
  });

  test('without a place for claims, only a consent to this VM lets a marked server found a cluster', async () => {
    const host = machine();
    const consent = { consent: { founding: ['vm-id-2'] } };
    const refused = etcdFounding(
      server({ init: true, settings: consent }),
      { memory: foundingMemory(), cloud },
      [],
    );
    await outcome(refused, host);
    await host.sleep(5 * minute);
    expect(await outcome(refused, host)).toBe('ClusterExists (person)');
    const settings = { consent: { founding: ['vm-id-1'] } };
    const allowed = etcdFounding(server({ init: true, settings }), { memory: foundingMemory(), cloud }, []);
    await outcome(allowed, host);
    await host.sleep(5 * minute);
    expect(await settle(allowed, host)).toEqual(['Drifted membership', 'InSync']);
  });

  test('a marked server waits while the registration address answers, and never joins there beside k3s.peers', async () => {
    const host = answers(machine(), lb);
    const resource = founding(server({ init: true, server: lb }));
    await outcome(resource, host);
    await host.sleep(10 * minute);
    expect(await outcome(resource, host)).toBe('Waiting FoundingWaits');
  });

  test('a server without k3s.peers joins at the registration address', async () => {
    const host = answers(machine(), lb);
    const node = server({ peers: [], server: lb });
    await settle(founding(node), host);
    expect((await keepingMembership(host, node)).joins).toBe(lb);
  });

  test('a DNS name in k3s.peers stands for all its addresses but the own one', async () => {
    const host = answers(machine(), b).on(
      { file: 'getent', args: ['ahosts', 'servers.example.com'] },
      '10.0.0.5 STREAM servers.example.com\n10.0.0.6 STREAM\n10.0.0.7 STREAM\n10.0.0.7 DGRAM\n',
    );
    const node = server({ peers: ['servers.example.com'] });
    await settle(founding(node), host);
    expect((await keepingMembership(host, node)).joins).toBe(b);
  });

  test('a server never asks itself', async () => {
    expect(await outcome(founding(server({ peers: ['10.0.0.5', 'vm-1'] })), machine())).toBe(
      'Waiting FoundingWaits',
    );
  });
});

describe('a server with etcd on its disk', () => {
  test('keeps what config.yaml says if its record is lost', async () => {
    const host = machine({ ...member, [paths.k3s.config]: `server: "${a}"\n` });
    expect(await settle(founding(server({ init: true })), host)).toEqual([
      'Drifted (non-blocking) membership',
      'Drifted (non-blocking) membership',
      'InSync',
    ]);
    expect(await kind(host)).toBe('joiningServer');
  });

  describe('that has joined a server', () => {
    const gone = 'https://10.0.0.8:6443';
    const joined = (server: string) => ({
      ...member,
      [paths.slipway.founding]: JSON.stringify({ format: 1, state: 'member', server, at: 1 }),
    });

    test('follows k3s.peers to a peer that accepts its token if that server is no longer listed', async () => {
      const host = answers(machine(joined(gone)), b);
      const resource = etcdFounding(server(), { memory: foundingMemory(), cloud }, []);
      expect(await settle(resource, host)).toEqual(['Drifted (non-blocking) membership', 'InSync']);
      expect((await keepingMembership(host, server())).joins).toBe(b);
    });

    test.each([
      ['no peer accepts its token', gone, server(), answers(machine(joined(gone)), b, 'other')],
      ['the server is listed, and another peer answers', a, server(), answers(machine(joined(a)), b)],
      ['there are no peers', gone, server({ peers: [], server: lb }), answers(machine(joined(gone)), lb)],
    ])('keeps that server if %s', async (_, kept, node, host) => {
      const resource = etcdFounding(node, { memory: foundingMemory(), cloud }, []);
      expect(await settle(resource, host)).toEqual(['InSync']);
      expect((await keepingMembership(host, node)).joins).toBe(kept);
    });

    test('gives the server that founded the cluster no server to join', async () => {
      const record = JSON.stringify({ format: 1, state: 'member', at: 1 });
      const host = answers(machine({ ...member, [paths.slipway.founding]: record }), b);
      expect(await settle(etcdFounding(server(), { memory: foundingMemory(), cloud }, []), host)).toEqual([
        'InSync',
      ]);
      expect(await kind(host)).toBe('firstServer');
    });
  });

  test('asks no other server', async () => {
    const host = memoryHost({ files: member });
    expect((await settle(founding(), host)).at(-1)).toBe('InSync');
  });

  test('forgets the text of its claim, so that an empty disk cannot claim again', async () => {
    const record = { format: 1, state: 'founds', nonce: 'n-1', at: 1 };
    const host = machine({ ...member, [paths.slipway.founding]: JSON.stringify(record) });
    await settle(founding(), host);
    expect(host.files.text(paths.slipway.founding)).not.toContain('n-1');
    expect(await kind(host)).toBe('firstServer');
  });

  test('claims its cluster under a rotated token', async () => {
    const claims = memoryClaims();
    const host = machine(member);
    await settle(founding(server(), claims), host);
    host.files.write(paths.slipway.joinToken, 'rotated\n', 0o600);
    await settle(founding(server(), claims), host);
    expect(claims.objects.size).toBe(2);
  });

  test('reports a mark that outlives the first day', async () => {
    const host = machine(member);
    const resource = founding(server({ init: true }));
    await settle(resource, host);
    expect(await outcome(resource, host)).toBe('InSync');
    await host.sleep(24 * 60 * minute + 1);
    expect(await outcome(resource, host)).toBe('InitMarkStays (person, non-blocking)');
    expect(await outcome(founding(), host)).toBe('InSync');
  });
});

test('a server with SQLite on its disk is never given a server to join', async () => {
  const host = answers(machine({ '/var/lib/rancher/k3s/server/db/state.db': '' }), a);
  expect(await outcome(founding(), host)).toBe('InSync');
  const kept = await keepingMembership(host, server());
  expect(kindOf(kept).writes(kept, { hasAgentToken: false })).toEqual({ 'write-kubeconfig-mode': '0600' });
});
