import { describe, expect, test } from 'vitest';
import { sha256, shortDigest } from '../../../../../../src/agent/engine/digest.ts';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import { recordingHost } from '../../../../../../src/agent/host/recording/recording-host.ts';
import { joinToken } from '../../../../../../src/agent/parts/k3s/membership/join-token.ts';
import { FakeCloud } from '../../../../../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { acceptsAt } from './a-peer.ts';
import { aCa } from './certificates.ts';

const path = '/var/lib/slipway/join-token';
const installed = '/var/lib/rancher/k3s/server/token';
const hash = 'a1'.repeat(32);
const hour = 3_600_000;
const rotation = '/var/lib/slipway/token-rotation.json';
const peer = 'https://10.0.0.6:6443';

function cloudWith(token: string): FakeCloud {
  return new FakeCloud({ secrets: { 'k3s-token': token } });
}

describe('joinToken on a fresh node', () => {
  test.each([
    ['server', 'swordfish', ['Drifted file', 'InSync']],
    ['agent', 'swordfish', ['Drifted file', 'InSync']],
    ['agent', `K10${hash}::node:swordfish`, ['Drifted file', 'InSync']],
    ['agent', 'abcdef.0123456789abcdef', ['Drifted file', 'InSync']],
    ['server', `K10${hash}::server:swordfish`, ['Drifted file', 'SecretEmpty (person)']],
    ['server', 'abcdef.0123456789abcdef', ['Drifted file', 'SecretEmpty (person)']],
    ['agent', 'two words', ['Drifted file', 'SecretEmpty (person)']],
  ] as const)('reports $2 for the role $0 with the secret $1', async (role, token, expected) => {
    const host = memoryHost();
    expect(await settle(joinToken(aNode(role), cloudWith(token), []), host)).toEqual(expected);
    const written = await host.readFile(path);
    expect(written && [written.content, written.mode]).toEqual(
      expected[1] === 'InSync' ? [`${token}\n`, 0o600] : undefined,
    );
  });

  test('explains that a new server makes its own CA, if the token pins one', async () => {
    const finding = await joinToken(aNode('server'), cloudWith(`K10${hash}::server:swordfish`), []).check(
      memoryHost(),
    );
    const remedy = finding.state === 'Drifted' ? finding.drift.remedy(memoryHost()) : undefined;
    await expect(remedy).rejects.toThrow('about to make its own CA');
  });

  test('accepts a token that pins a CA on a server with etcd, which may join that cluster', async () => {
    const token = `K10${hash}::server:swordfish`;
    const node = aNode('server', { settings: { k3s: { datastore: 'etcd' } } });
    const host = memoryHost();
    expect(await settle(joinToken(node, cloudWith(token), []), host)).toEqual(['Drifted file', 'InSync']);
    expect(host.files.text(path)).toBe(`${token}\n`);
  });

  test.each(['server', 'agent'] as const)(
    'removes white space around the token for the role %s',
    async (role) => {
      const host = memoryHost();
      await settle(joinToken(aNode(role), cloudWith(' swordfish\n\n'), []), host);
      expect((await host.readFile(path))?.content).toBe('swordfish\n');
    },
  );

  test('takes the number of its attempts and their interval from the settings', () => {
    const node = aNode('agent', { settings: { joinToken: { attempts: 3, interval: '2s' } } });
    expect(joinToken(node, cloudWith('x'), []).pacing).toEqual({ attempts: 3, every: 2_000 });
  });

  test('fetches only the agent token on an agent', async () => {
    const cloud = new FakeCloud({ secrets: { 'k3s-token': 'full', 'k3s-agent-token': 'agents-only' } });
    const settings = { joinToken: { agentSecretName: 'k3s-agent-token' } };
    const host = memoryHost();
    await settle(joinToken(aNode('agent', { settings }), cloud, []), host);
    expect((await host.readFile(path))?.content).toBe('agents-only\n');
    expect(cloud.calls).toEqual(['secret k3s-agent-token']);
  });

  test('fetches the server token on a server, not the agent token', async () => {
    const cloud = new FakeCloud({ secrets: { 'k3s-token': 'full', 'k3s-agent-token': 'agents-only' } });
    const settings = { joinToken: { agentSecretName: 'k3s-agent-token' } };
    const host = memoryHost();
    await settle(joinToken(aNode('server', { settings }), cloud, []), host);
    expect((await host.readFile(path))?.content).toBe('full\n');
  });

  test('fetches the token of an agent even if a server left a token on the disk', async () => {
    const host = memoryHost({ files: { [installed]: `K10${hash}::server:marlin\n` } });
    await settle(joinToken(aNode('agent'), cloudWith('swordfish'), []), host);
    expect((await host.readFile(path))?.content).toBe('swordfish\n');
  });

  test.each(['server', 'agent'] as const)(
    'fetches nothing in a dry run for the role %s, and is then in sync',
    async (role) => {
      const cloud = cloudWith('swordfish');
      const dry = recordingHost(memoryHost());
      const resource = joinToken(aNode(role), cloud, []);
      const finding = await resource.check(dry);
      if (finding.state === 'Drifted') {
        await finding.drift.remedy(dry);
      }
      expect(await resource.check(dry)).toEqual({ state: 'InSync' });
      expect(cloud.calls).toEqual([]);
    },
  );

  test('fetches the token again if the file contains no token or is readable by others', async () => {
    const resource = joinToken(aNode('agent'), cloudWith('swordfish'), []);
    for (const file of [
      { content: '\n', mode: 0o600 },
      { content: 'swordfish\n', mode: 0o644 },
    ]) {
      const host = memoryHost({ files: { [path]: file } });
      expect((await settle(resource, host)).at(-1)).toBe('InSync');
      expect(await host.readFile(path)).toMatchObject({ content: 'swordfish\n', mode: 0o600 });
    }
  });
});

describe('joinToken on an installed server', () => {
  function server(file: string, k3s = 'swordfish') {
    return memoryHost({
      files: {
        [path]: { content: `${file}\n`, mode: 0o600 },
        [installed]: `K10${hash}::server:${k3s}\n`,
        '/var/lib/rancher/k3s/server/tls/server-ca.crt': 'the CA',
      },
    });
  }

  test('makes no request until the comparison with the vault is due, every two hours', async () => {
    const cloud = cloudWith('swordfish');
    const host = server('swordfish');
    const resource = joinToken(aNode('server'), cloud, []);
    expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 2 * hour });
    host.advance(2 * hour);
    expect(await settle(resource, host)).toEqual([
      'Drifted (non-blocking) compared with the vault',
      'InSync',
    ]);
    expect(cloud.calls).toEqual(['secret k3s-token']);
    expect(await resource.check(host)).toEqual({ state: 'InSync', until: host.now() + 2 * hour });
  });

  test.each([
    ['only if the vault has a new version', true, ['secret', 'version secret', 'version', 'version secret']],
    [
      'every time if the VM may not see the versions in the vault',
      false,
      ['secret', ...Array(3).fill('version secret')],
    ],
  ])('reads the secret %s', async (_what, showsVersions, expected) => {
    const cloud = cloudWith('swordfish');
    cloud.showsVersions = showsVersions;
    const host = server('swordfish');
    const resource = joinToken(aNode('server'), cloud, []);
    const seen: string[] = [];
    for (const token of ['swordfish', 'swordfish', 'swordfish', 'swordfish\n']) {
      cloud.secrets.set('k3s-token', token);
      cloud.calls.length = 0;
      host.advance(2 * hour);
      expect((await settle(resource, host)).at(-1)).toBe('InSync');
      seen.push(cloud.calls.map((call) => call.replace(' k3s-token', '')).join(' '));
    }
    expect(seen).toEqual(expected);
  });

  test('reports a new token in the vault even after it has read the old token there', async () => {
    const cloud = cloudWith('swordfish');
    const host = server('swordfish');
    const resource = joinToken(aNode('server'), cloud, []);
    const seen: (string | undefined)[] = [];
    for (const token of ['swordfish', 'swordfish', 'marlin', 'marlin']) {
      cloud.secrets.set('k3s-token', token);
      host.advance(2 * hour);
      seen.push((await settle(resource, host)).at(-1));
    }
    const changed = 'TokenChanged (person, non-blocking)';
    expect(seen).toEqual(['InSync', 'InSync', changed, changed]);
  });

  test('keeps the token if the vault has a different token', async () => {
    const host = server('swordfish');
    host.advance(2 * hour);
    const seen = await settle(joinToken(aNode('server'), cloudWith('marlin'), []), host);
    expect(seen).toEqual([
      'Drifted (non-blocking) compared with the vault',
      'TokenChanged (person, non-blocking)',
    ]);
    expect((await host.readFile(path))?.content).toBe('swordfish\n');
    expect(host.journal).toEqual([]);
  });

  test.each([
    ['is empty', '', 0o600, 'Drifted token'],
    ['contains a different token', 'marlin', 0o600, 'Drifted token'],
    ['is readable by others', 'swordfish', 0o644, 'Drifted mode'],
  ])(
    'restores the file from K3s, without the cloud, if the file %s',
    async (_name, content, mode, expected) => {
      const host = server('swordfish');
      host.files.write(path, content, mode);
      const cloud = cloudWith('marlin');
      expect(await settle(joinToken(aNode('server'), cloud, []), host)).toEqual([expected, 'InSync']);
      expect(await host.readFile(path)).toMatchObject({ content: 'swordfish\n', mode: 0o600 });
      expect(cloud.calls).toEqual([]);
    },
  );

  test.each([
    ['is missing', (host: MemoryHost) => host.files.remove(path), 'Drifted file'],
    ['belongs to another user', (host: MemoryHost) => host.files.give(path, '1000:1000'), 'Drifted owner'],
  ] as const)(
    'restores the file from K3s, without the cloud, if the file %s',
    async (_name, harm, expected) => {
      const host = server('swordfish');
      harm(host);
      const cloud = cloudWith('marlin');
      expect(await settle(joinToken(aNode('server'), cloud, []), host)).toEqual([expected, 'InSync']);
      expect(await host.readFile(path)).toMatchObject({ content: 'swordfish\n', mode: 0o600 });
      expect(cloud.calls).toEqual([]);
    },
  );

  test('compares the token at once if the modification time of the file is in the future', async () => {
    const host = server('swordfish');
    host.setClock(host.now() - hour);
    expect(await settle(joinToken(aNode('server'), cloudWith('swordfish'), []), host)).toEqual([
      'Drifted (non-blocking) compared with the vault',
      'InSync',
    ]);
  });

  test('accepts the full token of the same cluster', async () => {
    const host = server('swordfish');
    host.advance(2 * hour);
    const token = `K10${sha256('the CA')}::server:swordfish`;
    expect((await settle(joinToken(aNode('server'), cloudWith(token), []), host)).at(-1)).toBe('InSync');
  });

  test.each([
    ['a bootstrap token', 'abcdef.0123456789abcdef', 'no server starts'],
    ['a token that pins another CA', `K10${hash}::server:marlin`, 'the CA of another cluster'],
    ['the installed token with the pin of another CA', `K10${hash}::server:swordfish`, 'the CA of another'],
  ])('refuses %s in the vault, even with consent', async (_name, token, words) => {
    const host = server('swordfish');
    host.advance(2 * hour);
    const consented = [shortDigest(token.split(':').at(-1) ?? '')];
    const node = aNode('server', { settings: { consent: { tokenChange: consented } } });
    const resource = joinToken(node, cloudWith(token), []);
    expect((await settle(resource, host)).at(-1)).toBe('SecretEmpty (person)');
    const finding = await resource.check(host);
    const remedy = finding.state === 'Drifted' ? finding.drift.remedy(host) : undefined;
    await expect(remedy).rejects.toThrow(words);
    expect(host.journal).toEqual([]);
  });

  test('writes the token of K3s to the file after a rotation by hand', async () => {
    const host = server('swordfish', 'marlin');
    expect(await settle(joinToken(aNode('server'), cloudWith('x'), []), host)).toEqual([
      'Drifted token',
      'InSync',
    ]);
    expect((await host.readFile(path))?.content).toBe('marlin\n');
  });

  describe.each(['etcd', 'external'] as const)('of several, with the datastore %s,', (datastore) => {
    const oneOfSeveral = aNode('server', {
      settings: { k3s: { datastore }, consent: { tokenChange: [shortDigest('marlin')] } },
    });

    test('records the rotation with consent, and keeps its token', async () => {
      const host = server('swordfish');
      host.advance(2 * hour);
      await settle(joinToken(oneOfSeveral, cloudWith('marlin'), []), host);
      expect(host.files.text(path)).toBe('swordfish\n');
      expect(JSON.parse(host.files.text(rotation) ?? '')).toMatchObject({ state: 'wanted' });
    });

    test('takes the token of the vault without consent, and records the start with the old one, if a peer accepts it', async () => {
      const host = server('swordfish');
      host.advance(2 * hour);
      host.files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', aCa());
      acceptsAt(host, peer, 'marlin');
      host.on({ file: 'systemctl', args: /^show k3s.service/ }, 'ActiveState=active\nInvocationID=start-1\n');
      const node = aNode('server', { settings: { k3s: { datastore, peers: [peer] } } });
      await settle(joinToken(node, cloudWith('marlin'), []), host);
      expect(host.files.text(path)).toBe('marlin\n');
      expect(JSON.parse(host.files.text(rotation) ?? '')).toMatchObject({
        ...{ state: 'rotated', invocation: 'start-1' },
        ...{ from: shortDigest('swordfish'), to: shortDigest('marlin') },
        tokens: { from: 'swordfish\n', to: 'marlin\n' },
      });
      expect(JSON.stringify(host.journal)).not.toMatch(/swordfish|marlin/);
    });

    test('explains the consent while its peers refuse the token of the vault', async () => {
      const host = server('swordfish');
      host.advance(2 * hour);
      host.files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', aCa());
      acceptsAt(host, peer, 'swordfish');
      const node = aNode('server', { settings: { k3s: { datastore, peers: [peer] } } });
      const finding = await joinToken(node, cloudWith('marlin'), []).check(host);
      const remedy = finding.state === 'Drifted' ? finding.drift.remedy(host) : undefined;
      await expect(remedy).rejects.toMatchObject({
        reason: 'TokenChanged',
        message: expect.stringContaining(shortDigest('marlin')),
      });
      expect([host.files.text(path), host.files.text(rotation)]).toEqual(['swordfish\n', undefined]);
    });

    test('writes the token of K3s to the file after a rotation by hand, and then agrees with the vault', async () => {
      const host = server('swordfish', 'marlin');
      const resource = joinToken(oneOfSeveral, cloudWith(`K10${sha256('the CA')}::server:marlin`), []);
      expect(await settle(resource, host)).toEqual(['Drifted token', 'InSync']);
      expect(host.files.text(path)).toBe('marlin\n');
      host.advance(2 * hour);
      expect((await settle(resource, host)).at(-1)).toBe('InSync');
    });
  });

  const consenting = (...tokens: readonly string[]) =>
    aNode('server', { settings: { consent: { tokenChange: tokens.map(shortDigest) } } });

  test('records the rotation to the new token with consent, keeps the file, and shows no token in the journal', async () => {
    const host = server('swordfish');
    host.advance(2 * hour);
    const seen = await settle(joinToken(consenting('marlin'), cloudWith('marlin'), []), host);
    expect(seen).toEqual(['Drifted (non-blocking) compared with the vault', 'InSync']);
    expect(host.files.text(path)).toBe('swordfish\n');
    expect(host.files.read(rotation)).toMatchObject({ mode: 0o600 });
    expect(JSON.parse(host.files.text(rotation) ?? '')).toEqual({
      format: 1,
      state: 'wanted',
      from: shortDigest('swordfish'),
      to: shortDigest('marlin'),
      tokens: { from: 'swordfish\n', to: 'marlin\n' },
    });
    expect(JSON.stringify(host.journal)).not.toMatch(/swordfish|marlin/);
  });

  test('keeps a wanted rotation that is compared with the vault again', async () => {
    const host = server('swordfish');
    for (let comparison = 0; comparison < 2; comparison += 1) {
      host.advance(2 * hour);
      await settle(joinToken(consenting('marlin'), cloudWith('marlin'), []), host);
    }
    expect(host.files.text(rotation)).toContain(shortDigest('marlin'));
    expect(host.lines().filter((line) => line.startsWith('remove'))).toEqual([]);
  });

  test.each([
    ['the vault has the installed token again', 'swordfish', ['marlin'], undefined],
    ['the vault has a third token without consent', 'barracuda', ['marlin'], undefined],
    ['the vault has a third token with consent', 'barracuda', ['barracuda'], 'barracuda'],
  ])('drops a wanted rotation if %s', async (_name, inVault, consented, to) => {
    const host = server('swordfish');
    host.advance(2 * hour);
    await settle(joinToken(consenting('marlin'), cloudWith('marlin'), []), host);
    host.advance(2 * hour);
    await settle(joinToken(consenting(...consented), cloudWith(inVault), []), host);
    const record = JSON.parse(host.files.text(rotation) ?? '{}');
    expect(record.to).toBe(to && shortDigest(to));
  });

  describe.each(['begun', 'rotated'] as const)('in a rotation that is %s', (state) => {
    function rotating(file: string | undefined, mode = 0o600): MemoryHost {
      const host = server('swordfish', 'marlin');
      const tokens = { from: 'swordfish\n', to: 'marlin\n' };
      const digests = { from: shortDigest('swordfish'), to: shortDigest('marlin') };
      host.files.write(rotation, JSON.stringify({ format: 1, state, ...digests, tokens }), 0o600);
      host.files.remove(path);
      if (file !== undefined) {
        host.files.write(path, file, mode);
      }
      host.advance(3 * hour);
      return host;
    }

    test.each(['swordfish\n', 'marlin\n'])(
      'does not change a file with %j, and sends no request to the vault',
      async (file) => {
        const host = rotating(file);
        const cloud = cloudWith('barracuda');
        expect(await joinToken(aNode('server'), cloud, []).check(host)).toEqual({ state: 'InSync' });
        expect(cloud.calls).toEqual([]);
      },
    );

    test('describes a third token in the file as different, and shows no token', async () => {
      const found = await joinToken(aNode('server'), cloudWith('x'), []).check(rotating('barracuda\n'));
      expect(found).toMatchObject({
        drift: { changes: [{ field: 'token', observed: 'another', desired: 'as in the rotation' }] },
      });
    });

    test('replaces a third token even if a token of the record is damaged', async () => {
      const host = rotating('barracuda\n');
      const text = host.files.text(rotation) ?? '';
      host.files.write(
        rotation,
        text.replace(state === 'begun' ? 'marlin' : 'swordfish', 'two words'),
        0o600,
      );
      expect((await settle(joinToken(aNode('server'), cloudWith('x'), []), host)).at(-1)).toBe('InSync');
    });

    test.each([
      ['is missing', undefined, 0o600],
      ['is readable by others', 'swordfish\n', 0o644],
      ['has a third token', 'barracuda\n', 0o600],
    ])('restores the file from the record if it %s', async (_name, file, mode) => {
      const host = rotating(file, mode);
      const cloud = cloudWith('barracuda');
      expect((await settle(joinToken(aNode('server'), cloud, []), host)).at(-1)).toBe('InSync');
      const content = state === 'begun' ? 'swordfish\n' : 'marlin\n';
      expect(host.files.read(path)).toMatchObject({ content, mode: 0o600 });
      expect(cloud.calls).toEqual([]);
    });
  });

  test('requests consent by the digest of the new token, not by the token', async () => {
    const host = server('swordfish');
    host.advance(2 * hour);
    const finding = await joinToken(aNode('server'), cloudWith('marlin'), []).check(host);
    if (finding.state !== 'Drifted') {
      throw new Error('no drift');
    }
    const error = await finding.drift.remedy(host).catch((thrown: Error) => thrown);
    expect(error?.message).toContain(
      'add `consent: { tokenChange: [966c12b03322] }` to /etc/slipway/config.yaml',
    );
    expect(error?.message).not.toMatch(/swordfish|marlin/);
  });

  test('keeps the token if the vault has changed again since the consent', async () => {
    const host = server('swordfish');
    host.advance(2 * hour);
    const node = aNode('server', { settings: { consent: { tokenChange: [shortDigest('marlin')] } } });
    const seen = await settle(joinToken(node, cloudWith('barracuda'), []), host);
    expect(seen.at(-1)).toBe('TokenChanged (person, non-blocking)');
    expect(host.journal).toEqual([]);
  });

  test('reports a vault that does not answer, not a changed token', async () => {
    const cloud = cloudWith('swordfish');
    cloud.fail('secret', new NodeError('VaultUnavailable', 'away'));
    const host = server('swordfish');
    host.advance(2 * hour);
    const seen = await settle(joinToken(aNode('server'), cloud, []), host);
    expect(seen).toEqual(['Drifted (non-blocking) compared with the vault', 'VaultUnavailable (time)']);
  });

  test('is in sync after a dry run, which makes no request', async () => {
    const cloud = cloudWith('marlin');
    const host = server('swordfish');
    host.advance(2 * hour);
    const resource = joinToken(aNode('server'), cloud, []);
    const dry = recordingHost(host);
    const finding = await resource.check(dry);
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(dry);
    }
    expect(await resource.check(dry)).toEqual({ state: 'InSync' });
    expect(cloud.calls).toEqual([]);
    expect(dry.journal.map(({ kind }) => kind)).toEqual(['obtain', 'write']);
  });
});

test('joinToken shows no token in its drift', async () => {
  const host = memoryHost({
    files: { [path]: { content: 'marlin\n', mode: 0o600 }, [installed]: `K10${hash}::server:swordfish` },
  });
  const resource = joinToken(aNode('server'), cloudWith('x'), []);
  expect(await outcome(resource, host)).toBe('Drifted token');
  expect(JSON.stringify(await resource.check(host))).not.toMatch(/swordfish|marlin/);
});
