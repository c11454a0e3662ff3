import { describe, expect, test } from 'vitest';
import { pinnedCa } from '../../../../../../src/agent/parts/k3s/membership/ca.ts';
import { releaseAgreed } from '../../../../../../src/agent/parts/k3s/upgrade/agreed.ts';
import {
  fleetRelease,
  releasePublished,
} from '../../../../../../src/agent/parts/k3s/upgrade/fleet-release.ts';
import { k3sExecutable } from '../../../../../../src/agent/parts/k3s/upgrade/release.ts';
import { memoryHost, type ResponseAnswer, unreachable } from '../../../../../lab/memory-host.ts';
import { makeAuthority } from '../../../../../lab/standins/k3s-certificates.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { rotatingServer } from '../rotation/a-rotation.ts';
import { binary, old, patch, recorded, recordPath, upgrading, wanting } from './an-upgrade.ts';

const server = 'https://10.0.0.4:6443';
const ca = makeAuthority('k3s-server-ca@1700000000').certificate;
const agent = aNode('agent', { version: patch });
const published = (k3s: string) => JSON.stringify({ format: 1, k3s });

/** Returns a new agent whose server publishes `answer`. `installed` is the release of its executable; empty if none. */
function anAgent(answer: ResponseAnswer, { token = 'swordfish', installed = '' } = {}) {
  const host = memoryHost({
    files: {
      ...(token && { '/var/lib/slipway/join-token': `${token}\n` }),
      ...(installed && { [binary]: { content: installed, mode: 0o755 } }),
    },
  });
  host.on(
    { file: binary, args: ['--version'] },
    installed ? `k3s version ${installed} (1a2b3c4d)\n` : { exitCode: 127 },
  );
  host.onGet(`${server}/ping`, 'pong').onGet(`${server}/cacerts`, ca);
  return host.onGet(`${server}/static/slipway/release.json`, answer);
}

describe.each([
  ['wanted', undefined],
  ['begun', true],
  ['rotated', true],
  ['done', undefined],
] as const)('releasePublished during a rotation of the join token that is %s', (state, rotates) => {
  test(`publishes ${rotates ? 'that' : 'nothing about it'}`, async () => {
    const { host } = rotatingServer(state);
    await settle(releasePublished(aNode('server'), []), host);
    const path = '/var/lib/rancher/k3s/server/static/slipway/release.json';
    expect(JSON.parse(host.files.text(path) ?? '').rotates).toBe(rotates);
    host.files.remove('/var/lib/slipway/token-rotation.json');
    await settle(releasePublished(aNode('server'), []), host);
    expect(JSON.parse(host.files.text(path) ?? '').rotates).toBeUndefined();
  });
});

describe('fleetRelease', () => {
  test.each([
    ['an older release', published(old), old],
    ['a release three minor versions older', published('v1.33.1+k3s1'), 'v1.33.1+k3s1'],
    ['a release four minor versions older', published('v1.32.9+k3s1'), undefined],
    ['the wanted release', published(patch), undefined],
    ['a newer release', published('v1.37.0+k3s1'), undefined],
    ['something other than a release', published('../../../etc/shadow'), undefined],
    ['something other than JSON', '<html>', undefined],
    ['nothing, because it does not run Slipway', { status: 404 }, undefined],
    ['no answer', unreachable(server), undefined],
  ] as const)('of a server that publishes $0 is $2', async (_, answer, expected) => {
    expect(await fleetRelease(anAgent(answer), agent)).toBe(expected);
  });

  test.each([
    ['pins the CA of this server', `K10${pinnedCa(ca).hash}::node:swordfish`, old],
    ['pins another CA', `K10${'0'.repeat(64)}::node:swordfish`, undefined],
    ['is missing', '', undefined],
  ])('of a server, if the token $0, is $2', async (_, token, expected) => {
    expect(await fleetRelease(anAgent(published(old), { token }), agent)).toBe(expected);
  });

  test('is not requested on the only server of a cluster', async () => {
    const host = memoryHost({ files: { '/var/lib/slipway/join-token': 'swordfish\n' } });
    expect(await fleetRelease(host, aNode('server', { version: patch }))).toBeUndefined();
  });

  test('is that of the first peer that publishes one, on one of several servers', async () => {
    const peers = ['10.0.0.8', '10.0.0.4'];
    const one = aNode('server', { version: patch, settings: { k3s: { datastore: 'etcd', peers } } });
    const host = anAgent(published(old)).onGet('https://10.0.0.8:6443/ping', unreachable('10.0.0.8'));
    host.onGet('https://10.0.0.8:6443/cacerts', unreachable('10.0.0.8'));
    expect(await fleetRelease(host, one)).toBe(old);
  });
});

test('a new agent downloads the release that its server runs', async () => {
  const host = anAgent(published(old));
  const finding = await k3sExecutable(agent, []).check(host);
  expect(finding).toMatchObject({ state: 'Drifted', drift: { summary: `download K3s ${old} to ${binary}` } });
});

test('a new agent keeps its executable while its server does not answer', async () => {
  const host = anAgent(unreachable(server), { installed: old });
  expect(await outcome(k3sExecutable(agent, []), host)).toBe('InSync');
});

test('a new agent without an executable downloads the wanted release while its server does not answer', async () => {
  const finding = await k3sExecutable(agent, []).check(anAgent(unreachable(server)));
  expect(finding).toMatchObject({
    state: 'Drifted',
    drift: { summary: `download K3s ${patch} to ${binary}` },
  });
});

describe('releaseAgreed', () => {
  test.each([
    ['holds back a release that is newer than that of the server', patch, 'Waiting InProgress'],
    ['lets the release of the server start', old, 'InSync'],
  ])('%s', async (_, installed, expected) => {
    expect(await outcome(releaseAgreed(agent, []), anAgent(published(old), { installed }))).toBe(expected);
  });

  test.each([
    ['does not answer', unreachable(server), 'ServerUnreachable'],
    ['is not ready', { status: 503 }, 'ServerNotReady'],
  ] as const)(
    'holds back an agent whose server %s when its release is asked for',
    async (_, answer, reason) => {
      const host = anAgent(answer, { installed: patch });
      await expect(releaseAgreed(agent, []).check(host)).rejects.toMatchObject({ reason });
    },
  );

  test('lets an agent start whose server publishes nothing, because it does not run Slipway', async () => {
    const host = anAgent({ status: 404 }, { installed: patch });
    expect(await outcome(releaseAgreed(agent, []), host)).toBe('InSync');
  });

  test('does not hold back a server whose peers do not answer, because it may be the first', async () => {
    const one = aNode('server', {
      version: patch,
      settings: { k3s: { datastore: 'etcd', peers: ['10.0.0.4'] } },
    });
    const host = anAgent(unreachable(server), { installed: patch });
    expect(await outcome(releaseAgreed(one, []), host)).toBe('InSync');
  });

  test('does not hold back an agent that has joined', async () => {
    const host = anAgent(unreachable(server), { installed: patch });
    host.files.write('/var/lib/rancher/k3s/agent/server-ca.crt', ca);
    expect(await outcome(releaseAgreed(agent, []), host)).toBe('InSync');
  });
});

describe('releasePublished', () => {
  const path = '/var/lib/rancher/k3s/server/static/slipway/release.json';
  const last = '/var/lib/rancher/k3s/slipway-last-version';

  test.each([
    ['the release of the last start', { [last]: `${patch}\n` }, patch],
    [
      'the former release until the new one is verified',
      { [last]: `${patch}\n`, [recordPath]: recorded() },
      old,
    ],
    [
      'the new release once it is verified',
      { [last]: `${patch}\n`, [recordPath]: recorded({ state: 'done' }) },
      patch,
    ],
    [
      'the former release after the node rolled back',
      { [last]: `${old}\n`, [recordPath]: recorded({ state: 'rolledBack' }) },
      old,
    ],
    [
      'the former release while the node goes back, before K3s is restarted',
      { [last]: `${patch}\n`, [recordPath]: recorded({ state: 'rolledBack' }) },
      old,
    ],
    [
      'the former release of a server whose new one does not come up',
      { [last]: `${patch}\n`, [recordPath]: recorded({ state: 'gaveUp' }) },
      old,
    ],
    [
      'the release of a start after that of the upgrade that was given up',
      { [last]: 'v1.36.9+k3s1\n', [recordPath]: recorded({ state: 'rolledBack' }) },
      'v1.36.9+k3s1',
    ],
  ])('shows %s', async (_, files, expected) => {
    const host = upgrading(files);
    const resource = releasePublished(wanting(patch), []);
    const finding = await resource.check(host);
    if (finding.state !== 'Drifted') {
      throw new Error(finding.state);
    }
    await finding.drift.remedy(host);
    expect(JSON.parse(host.files.text(path) ?? '')).toEqual({ format: 1, k3s: expected });
    expect(await outcome(resource, host)).toBe('InSync');
  });
});
