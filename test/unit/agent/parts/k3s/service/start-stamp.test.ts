import { describe, expect, test } from 'vitest';
import { stamp, startSources } from '../../../../../../src/agent/parts/index.ts';
import { pinnedCa } from '../../../../../../src/agent/parts/k3s/membership/ca.ts';
import { changedInputs, readStamp } from '../../../../../../src/agent/parts/k3s/service/start-stamp.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';
import { aCa } from '../membership/certificates.ts';

const paths = nodePaths('/');
const ca = aCa();
const { inputs } = startSources;
const { k3s, slipway } = paths;
const plugin = `${k3s.credentialProviderBin}/slipway-credential-provider`;
const node = aNode('agent', { settings: { registries: { servers: ['a.io'] } } });
const unitFile = '/etc/systemd/system/k3s.service';
const registries = (password: string, mirror = 'a', lasting = 'kept') =>
  `mirrors: { ${mirror}: {} }\nconfigs:\n` +
  `  a.io: { auth: { username: u, password: ${password} } }\n` +
  `  docker.io: { auth: { username: u, password: ${lasting} } }\n`;
const provider = (...servers: string[]) =>
  `providers: [{ name: slipway-credential-provider, matchImages: [${servers}] }]\n`;
const foreign = 'providers: [{ name: theirs, matchImages: [a.io] }]\n';

function world(): MemoryHost {
  return memoryHost({
    files: {
      [k3s.config]: 'node-name: "a"\n',
      [k3s.registries]: registries('one'),
      [k3s.credentialProvider]: provider('a.io', 'c.io'),
      [plugin]: { content: '#!/bin/sh\n', mode: 0o755 },
      [slipway.joinToken]: 'swordfish\n',
      [unitFile]: 'Environment=HTTP_PROXY=http://a\nExecStart=/usr/local/bin/k3s server\n',
    },
  }).on({ file: 'k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (abc)\n');
}

async function changedAfter(change: (host: MemoryHost) => void): Promise<readonly string[]> {
  const host = world();
  await stamp(host, paths, { invocationId: 'i1' });
  change(host);
  const found = await readStamp(host, paths, 'i1');
  if (!found) {
    throw new Error('there is no stamp');
  }
  return changedInputs(host, node, found, inputs);
}

function pinning(pinned: string, known?: string) {
  return (host: MemoryHost) => {
    host.files.write(slipway.joinToken, `K10${pinnedCa(pinned).hash}::node:swordfish\n`);
    if (known !== undefined) {
      host.files.write(k3s.agentServerCa, known);
    }
  };
}

test('stampStart records the K3s release, and keeps the recorded release if K3s does not report one', async () => {
  const host = world();
  await stamp(host, paths, { invocationId: 'i1' });
  host.on({ file: 'k3s', args: ['--version'] }, { exitCode: 126 });
  await stamp(host, paths, { invocationId: 'i2' });
  expect((await host.readFile(k3s.lastVersion))?.content).toBe('v1.36.3+k3s1\n');
});

describe('etcd that K3s left incomplete while it copied SQLite', () => {
  const datastore = '/var/lib/rancher/k3s/server/db';
  const both = { [`${datastore}/state.db`]: 'all', [`${datastore}/etcd/member/wal`]: 'half' };

  function server(state: string | undefined, files: Readonly<Record<string, string>>): MemoryHost {
    const record = JSON.stringify({ format: 1, state, at: 1 });
    const founding = state === undefined ? {} : { [slipway.founding]: record };
    return memoryHost({ files: { ...files, ...founding } }).on(
      { file: 'k3s', args: ['--version'] },
      'k3s version v1.36.3+k3s1 (abc)\n',
    );
  }

  test('is moved aside before K3s starts, and nothing of it is lost', async () => {
    const host = server('migrates', both);
    await stamp(host, paths, { invocationId: 'i1' });
    const [aside, ...others] = host.files.list(datastore);
    expect(aside).toMatch(/^etcd-incomplete-\d{8}T\d{6}Z$/);
    expect(others).toEqual(['state.db']);
    expect(host.files.text(`${datastore}/${aside}/member/wal`)).toBe('half');
  });

  test.each([
    ['no move is recorded', undefined, both],
    ['the move has ended', 'member', both],
    ['K3s has copied everything', 'migrates', { [`${datastore}/etcd/member/wal`]: 'all' }],
    ['K3s has not begun to copy', 'migrates', { [`${datastore}/state.db`]: 'all' }],
  ])(
    'is assumed only if the move is under way with both datastores: nothing is moved if %s',
    async (_, state, files) => {
      const host = server(state, files);
      const before = host.files.list(datastore);
      await stamp(host, paths, { invocationId: 'i1' });
      expect(host.files.list(datastore)).toEqual(before);
    },
  );

  test('stays in its place if a person runs the stamp, since K3s may be copying', async () => {
    const host = server('migrates', both);
    await expect(stamp(host, paths, { invocationId: undefined })).rejects.toThrow('INVOCATION_ID');
    expect(host.files.list(datastore)).toEqual(['etcd', 'state.db']);
  });
});

describe('changedInputs', () => {
  test.each([
    ['no change', () => {}, []],
    [
      'a change of config.yaml',
      (host: MemoryHost) => host.files.write(k3s.config, 'node-name: "b"\n'),
      ['config'],
    ],
    [
      'a change of a mirror',
      (host: MemoryHost) => host.files.write(k3s.registries, registries('one', 'b')),
      ['registries', 'registryLogins'],
    ],
    [
      'a change of a password that kubelet gets from its provider',
      (host: MemoryHost) => host.files.write(k3s.registries, registries('two')),
      ['registryLogins'],
    ],
    [
      'a change of a password that only containerd has',
      (host: MemoryHost) => host.files.write(k3s.registries, registries('one', 'a', 'changed')),
      ['registryLogins', 'lastingLogins'],
    ],
    [
      'the addition of a first password',
      (host: MemoryHost) =>
        host.files.write(k3s.registries, `${registries('one')}  b.io: { auth: { username: u } }\n`),
      ['registryLogins', 'lastingLogins'],
    ],
    [
      'a change of the order of keys',
      (host: MemoryHost) =>
        host.files.write(
          k3s.registries,
          'configs:\n  docker.io: { auth: { password: kept, username: u } }\n' +
            '  a.io: { auth: { password: one, username: u } }\nmirrors: { a: {} }\n',
        ),
      [],
    ],
    ['damage to registries.yaml', (host: MemoryHost) => host.files.write(k3s.registries, '{'), []],
    ['the loss of registries.yaml', (host: MemoryHost) => host.files.remove(k3s.registries), []],
    ['the truncation of registries.yaml', (host: MemoryHost) => host.files.write(k3s.registries, '\n'), []],
    [
      'a change of the version',
      (host: MemoryHost) => host.on({ file: 'k3s' }, 'k3s version v1.36.4+k3s1 (abc)\n'),
      ['version'],
    ],
    [
      'a change of the proxy',
      (host: MemoryHost) => host.files.write(unitFile, 'Environment=HTTP_PROXY=http://b\n'),
      ['environment'],
    ],
    [
      'a change of another line of the unit',
      (host: MemoryHost) => host.files.write(unitFile, 'Environment=HTTP_PROXY=http://a\nRestart=no\n'),
      [],
    ],
    [
      'a change of the token',
      (host: MemoryHost) => host.files.write(slipway.joinToken, 'marlin\n'),
      ['joinToken'],
    ],
    ['a pin of the CA of the joined cluster', pinning(ca, ca), []],
    ['a pin of another CA', pinning(aCa(), ca), ['joinToken']],
    ['a pin of a CA before K3s has joined a cluster', pinning(ca), ['joinToken']],
    [
      'the addition of a comment and another order of registries in the credential provider',
      (host: MemoryHost) =>
        host.files.write(k3s.credentialProvider, `# a comment\n${provider('c.io', 'a.io')}`),
      [],
    ],
    [
      'a change of the registries of the credential provider',
      (host: MemoryHost) => host.files.write(k3s.credentialProvider, provider('b.io')),
      ['credentialProvider'],
    ],
    [
      "the replacement of the credential provider by another tool's",
      (host: MemoryHost) => host.files.write(k3s.credentialProvider, foreign),
      [],
    ],
    [
      'damage to the credential provider',
      (host: MemoryHost) => host.files.write(k3s.credentialProvider, provider('b.io').slice(0, 50)),
      [],
    ],
    [
      'the loss of the credential provider',
      (host: MemoryHost) => host.files.remove(k3s.credentialProvider),
      [],
    ],
    [
      'a change of the registries of a credential provider without its plugin',
      (host: MemoryHost) => {
        host.files.write(k3s.credentialProvider, provider('b.io'));
        host.files.remove(plugin);
      },
      [],
    ],
    [
      "a change of an operator's drop-in",
      (host: MemoryHost) => host.files.write('/etc/rancher/k3s/config.yaml.d/a.yaml', 'debug: true\n'),
      [],
    ],
  ] as const)('returns $2 after $0', async (_name, change, expected) => {
    expect(await changedAfter(change)).toEqual(expected);
  });

  test.each([
    ['no registries.yaml', k3s.registries, undefined, ['registries', 'registryLogins', 'lastingLogins']],
    ['a malformed registries.yaml', k3s.registries, '{', ['registries', 'registryLogins']],
    ['no credential provider', k3s.credentialProvider, undefined, ['credentialProvider']],
    ["another tool's credential provider", k3s.credentialProvider, foreign, ['credentialProvider']],
  ])('counts a valid file as a change after a start with %s', async (_name, path, before, expected) => {
    const host = world();
    const whole = host.files.text(path) ?? '';
    if (before === undefined) {
      host.files.remove(path);
    } else {
      host.files.write(path, before);
    }
    await stamp(host, paths, { invocationId: 'i1' });
    host.files.write(path, whole);
    const found = await readStamp(host, paths, 'i1');
    expect(found && (await changedInputs(host, node, found, inputs))).toEqual(expected);
  });

  test('counts a removed provider as a change if the settings name no login server', async () => {
    const host = world();
    await stamp(host, paths, { invocationId: 'i1' });
    host.files.remove(k3s.credentialProvider);
    const found = await readStamp(host, paths, 'i1');
    expect(found && (await changedInputs(host, aNode('agent'), found, inputs))).toEqual([
      'credentialProvider',
    ]);
  });

  test('counts an input as unchanged if the stamp of an older Slipway lacks it', async () => {
    const host = world();
    expect(await changedInputs(host, node, { invocationId: 'i1', inputs: {}, notes: {} }, inputs)).toEqual(
      [],
    );
  });
});

describe('readStamp', () => {
  test.each([
    ['of this start', 'i1', undefined, 'i1'],
    ['of another start', 'i2', undefined, undefined],
    ['with malformed content', 'i1', '{', undefined],
    ['with the content null', 'i1', 'null', undefined],
    ['without inputs', 'i1', '{"invocationId":"i1"}', undefined],
  ])('returns the invocation $3 for a stamp $0', async (_name, invocationId, content, expected) => {
    const host = world();
    await stamp(host, paths, { invocationId: 'i1' });
    if (content !== undefined) {
      host.files.write(k3s.stamp, content);
    }
    expect((await readStamp(host, paths, invocationId))?.invocationId).toBe(expected);
  });

  test('returns undefined if the stamp is missing', async () => {
    expect(await readStamp(world(), paths, 'i1')).toBeUndefined();
  });
});

test.each([
  ['is in the login store', 'one', { 'a.io': 3_000 }],
  ['is not in the login store', 'other', {}],
])('stampStart records the expiries $2 for a login that $0', async (_, password, expected) => {
  const host = world();
  const login = { username: 'u', password, receivedAt: 1_000 };
  const logins = { 'a.io': { ...login, until: 3_000 }, 'docker.io': { ...login, password: 'kept' } };
  host.files.write(slipway.logins, JSON.stringify({ format: 1, logins }), 0o600);
  await stamp(host, paths, { invocationId: 'i1' });
  expect((await readStamp(host, paths, 'i1'))?.notes.loginEnds).toEqual(expected);
});

test('stampStart writes a 0600 file with digests in place of secrets', async () => {
  const host = world();
  await stamp(host, paths, { invocationId: 'i1' });
  const found = await host.readFile(k3s.stamp);
  expect(found?.mode).toBe(0o600);
  expect(found?.content).not.toMatch(/swordfish|one/);
});

test.each([undefined, ''])(
  'stampStart writes no stamp without an INVOCATION_ID from systemd: %j',
  async (invocationId) => {
    const host = world();
    await expect(stamp(host, paths, { invocationId })).rejects.toThrow(/only the unit of K3s/);
    expect(host.journal).toEqual([]);
  },
);

describe('another server to join in config.yaml', () => {
  const text = (server: string, name = 'a') => `server: "https://${server}:6443"\nnode-name: "${name}"\n`;
  const log = '/var/lib/rancher/k3s/server/db/etcd/member/wal';

  test.each([
    ['does not restart a server with etcd on its disk', log, text('10.0.0.7'), []],
    ['does not hide another change', log, text('10.0.0.7', 'b'), ['config']],
    ['restarts a server that has not joined', undefined, text('10.0.0.7'), ['config']],
    ['is a change if the line is gone', log, 'node-name: "a"\n', ['config']],
  ])('%s', async (_, disk, changed, expected) => {
    const host = world();
    host.files.write(k3s.config, text('10.0.0.6'));
    if (disk !== undefined) {
      host.files.write(disk, '');
    }
    await stamp(host, paths, { invocationId: 'i1' });
    host.files.write(k3s.config, changed);
    const found = await readStamp(host, paths, 'i1');
    expect(found && (await changedInputs(host, node, found, inputs))).toEqual(expected);
  });
});
