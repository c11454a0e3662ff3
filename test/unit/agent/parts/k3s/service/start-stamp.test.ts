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

test('a start notes its release, and a start without a release keeps the note', async () => {
  const host = world();
  await stamp(host, paths, { invocationId: 'i1' });
  host.on({ file: 'k3s', args: ['--version'] }, { exitCode: 126 });
  await stamp(host, paths, { invocationId: 'i2' });
  expect((await host.readFile(k3s.lastVersion))?.content).toBe('v1.36.3+k3s1\n');
});

describe('changedInputs', () => {
  test.each([
    ['nothing', () => {}, []],
    ['config.yaml', (host: MemoryHost) => host.files.write(k3s.config, 'node-name: "b"\n'), ['config']],
    [
      'a mirror',
      (host: MemoryHost) => host.files.write(k3s.registries, registries('one', 'b')),
      ['registries', 'registryLogins'],
    ],
    [
      'a password that kubelet gets from its provider',
      (host: MemoryHost) => host.files.write(k3s.registries, registries('two')),
      ['registryLogins'],
    ],
    [
      'a password that only containerd has',
      (host: MemoryHost) => host.files.write(k3s.registries, registries('one', 'a', 'changed')),
      ['registryLogins', 'lastingLogins'],
    ],
    [
      'a first password',
      (host: MemoryHost) =>
        host.files.write(k3s.registries, `${registries('one')}  b.io: { auth: { username: u } }\n`),
      ['registryLogins', 'lastingLogins'],
    ],
    [
      'the order of keys',
      (host: MemoryHost) =>
        host.files.write(
          k3s.registries,
          'configs:\n  docker.io: { auth: { password: kept, username: u } }\n' +
            '  a.io: { auth: { password: one, username: u } }\nmirrors: { a: {} }\n',
        ),
      [],
    ],
    ['a malformed registries.yaml', (host: MemoryHost) => host.files.write(k3s.registries, '{'), []],
    ['a lost registries.yaml', (host: MemoryHost) => host.files.remove(k3s.registries), []],
    ['an empty registries.yaml', (host: MemoryHost) => host.files.write(k3s.registries, '\n'), []],
    [
      'the version',
      (host: MemoryHost) => host.on({ file: 'k3s' }, 'k3s version v1.36.4+k3s1 (abc)\n'),
      ['version'],
    ],
    [
      'the proxy',
      (host: MemoryHost) => host.files.write(unitFile, 'Environment=HTTP_PROXY=http://b\n'),
      ['environment'],
    ],
    [
      'another line of the unit',
      (host: MemoryHost) => host.files.write(unitFile, 'Environment=HTTP_PROXY=http://a\nRestart=no\n'),
      [],
    ],
    ['the token', (host: MemoryHost) => host.files.write(slipway.joinToken, 'marlin\n'), ['joinToken']],
    ['the token, which pins the CA that K3s has joined', pinning(ca, ca), []],
    ['the token, which pins another CA', pinning(aCa(), ca), ['joinToken']],
    ['the token, which pins a CA before K3s has joined', pinning(ca), ['joinToken']],
    [
      'a comment on the credential provider, and another order of its registries',
      (host: MemoryHost) =>
        host.files.write(k3s.credentialProvider, `# a comment\n${provider('c.io', 'a.io')}`),
      [],
    ],
    [
      'a credential provider for other registries',
      (host: MemoryHost) => host.files.write(k3s.credentialProvider, provider('b.io')),
      ['credentialProvider'],
    ],
    [
      "another tool's credential provider",
      (host: MemoryHost) => host.files.write(k3s.credentialProvider, foreign),
      [],
    ],
    [
      'a damaged credential provider',
      (host: MemoryHost) => host.files.write(k3s.credentialProvider, provider('b.io').slice(0, 50)),
      [],
    ],
    ['a lost credential provider', (host: MemoryHost) => host.files.remove(k3s.credentialProvider), []],
    [
      'a credential provider for other registries, without its plugin',
      (host: MemoryHost) => {
        host.files.write(k3s.credentialProvider, provider('b.io'));
        host.files.remove(plugin);
      },
      [],
    ],
    [
      'a drop-in of the operator',
      (host: MemoryHost) => host.files.write('/etc/rancher/k3s/config.yaml.d/a.yaml', 'debug: true\n'),
      [],
    ],
  ] as const)('after %s', async (_name, change, expected) => {
    expect(await changedAfter(change)).toEqual(expected);
  });

  test.each([
    ['no registries.yaml', k3s.registries, undefined, ['registries', 'registryLogins', 'lastingLogins']],
    ['a malformed one', k3s.registries, '{', ['registries', 'registryLogins']],
    ['no credential provider', k3s.credentialProvider, undefined, ['credentialProvider']],
    ["somebody else's", k3s.credentialProvider, foreign, ['credentialProvider']],
  ])('a start with %s: a later valid file counts as a change', async (_name, path, before, expected) => {
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

  test('a removed provider counts as a change if the settings name no login server', async () => {
    const host = world();
    await stamp(host, paths, { invocationId: 'i1' });
    host.files.remove(k3s.credentialProvider);
    const found = await readStamp(host, paths, 'i1');
    expect(found && (await changedInputs(host, aNode('agent'), found, inputs))).toEqual([
      'credentialProvider',
    ]);
  });

  test('an input that an older stamp does not have counts as unchanged', async () => {
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
    ['malformed', 'i1', '{', undefined],
    ['empty', 'i1', 'null', undefined],
    ['of something else', 'i1', '{"invocationId":"i1"}', undefined],
  ])('%s', async (_name, invocationId, content, expected) => {
    const host = world();
    await stamp(host, paths, { invocationId: 'i1' });
    if (content !== undefined) {
      host.files.write(k3s.stamp, content);
    }
    expect((await readStamp(host, paths, invocationId))?.invocationId).toBe(expected);
  });

  test('a missing stamp', async () => {
    expect(await readStamp(world(), paths, 'i1')).toBeUndefined();
  });
});

test.each([
  ['is in the store', 'one', { 'a.io': 3_000 }],
  ['is not in the store', 'other', {}],
])('the stamp has the end of a login of that start that %s', async (_, password, expected) => {
  const host = world();
  const login = { username: 'u', password, receivedAt: 1_000 };
  const logins = { 'a.io': { ...login, until: 3_000 }, 'docker.io': { ...login, password: 'kept' } };
  host.files.write(slipway.logins, JSON.stringify({ format: 1, logins }), 0o600);
  await stamp(host, paths, { invocationId: 'i1' });
  expect((await readStamp(host, paths, 'i1'))?.notes.loginEnds).toEqual(expected);
});

test('the stamp is 0600, and contains only digests', async () => {
  const host = world();
  await stamp(host, paths, { invocationId: 'i1' });
  const found = await host.readFile(k3s.stamp);
  expect(found?.mode).toBe(0o600);
  expect(found?.content).not.toMatch(/swordfish|one/);
});

test.each([undefined, ''])('without systemd (%j) there is no stamp', async (invocationId) => {
  const host = world();
  await expect(stamp(host, paths, { invocationId })).rejects.toThrow(/only the unit of K3s/);
  expect(host.journal).toEqual([]);
});
