import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import {
  k3sExecutable,
  k3sLinks,
  releaseDownload,
} from '../../../../../../src/agent/parts/k3s/upgrade/release.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { carryOut } from '../../../../../lab/memory-jobs.ts';
import { aCluster, apiServer } from '../../../a-cluster.ts';
import { aNode, outcome } from '../../../a-node.ts';

const base = 'https://github.com/k3s-io/k3s/releases/download/v1.36.3%2Bk3s1';

test.each([
  ['x64', `${base}/k3s`, { url: `${base}/sha256sum-amd64.txt`, name: 'k3s' }],
  ['arm64', `${base}/k3s-arm64`, { url: `${base}/sha256sum-arm64.txt`, name: 'k3s-arm64' }],
] as const)('releaseDownload returns the release files for %s', (arch, url, checksum) => {
  expect(releaseDownload(aNode('server', { arch }))).toEqual({
    url,
    checksum,
    path: '/usr/local/bin/k3s',
    mode: 0o755,
  });
});

test('releaseDownload uses a release mirror', () => {
  const settings = { k3s: { releaseUrl: 'https://mirror.example.com/k3s/' } };
  expect(releaseDownload(aNode('server', { settings })).url).toBe(
    'https://mirror.example.com/k3s/v1.36.3%2Bk3s1/k3s',
  );
});

test('k3sLinks creates kubectl, crictl and ctr', () => {
  expect(k3sLinks(aNode('agent'), ['x']).map(({ id }) => id)).toEqual([
    'Link//usr/local/bin/kubectl',
    'Link//usr/local/bin/crictl',
    'Link//usr/local/bin/ctr',
  ]);
});

const joinedServer = '/var/lib/rancher/k3s/server/token';
const joinedAgent = '/var/lib/rancher/k3s/agent/server-ca.crt';

describe('k3sExecutable', () => {
  const auto = { k3s: { upgrade: 'auto' } };
  const serverIs = (gitVersion: string) => JSON.stringify({ major: '1', minor: '36', gitVersion });
  const refused = new NodeError('Unreachable', 'connect ECONNREFUSED');

  test.each([
    ['is current', { installed: 'v1.36.3+k3s1' }, 'InSync'],
    ['is missing', {}, 'Drifted version'],
    [
      'has another version before the node joins',
      { installed: 'v1.30.0+k3s1' },
      'Drifted (non-blocking) version',
    ],
    ['is missing on a joined node', { joined: joinedServer }, 'Drifted version'],
    [
      'has another version on a joined server',
      { installed: 'v1.36.2+k3s1', joined: joinedServer },
      'VersionDrift (person, non-blocking)',
    ],
    [
      'is one minor version older, with k3s.upgrade auto',
      { installed: 'v1.35.1+k3s1', joined: joinedServer, settings: auto },
      'InSync',
    ],
    [
      'is newer than the wanted version, with k3s.upgrade auto',
      { installed: 'v1.36.4+k3s1', joined: joinedServer, settings: auto },
      'VersionRefused (person, non-blocking)',
    ],
    [
      'is two minor versions older, with k3s.upgrade auto',
      { installed: 'v1.34.9+k3s1', joined: joinedServer, settings: auto },
      'VersionRefused (person, non-blocking)',
    ],
    [
      'would be replaced by a release with an invalid name',
      { wanted: 'stable' },
      'VersionRefused (person, non-blocking)',
    ],
    [
      'of an agent is older than its server, which has the wanted version',
      {
        role: 'agent',
        installed: 'v1.36.2+k3s1',
        joined: joinedAgent,
        settings: auto,
        server: serverIs('v1.36.3+k3s1'),
      },
      'InSync',
    ],
    [
      'of an agent would become four minor versions older than its server',
      {
        role: 'agent',
        installed: 'v1.36.2+k3s1',
        joined: joinedAgent,
        settings: auto,
        server: serverIs('v1.40.0+k3s1'),
      },
      'VersionRefused (person, non-blocking)',
    ],
    [
      'of an agent would become newer than its server',
      {
        role: 'agent',
        installed: 'v1.36.2+k3s1',
        joined: joinedAgent,
        settings: auto,
        server: serverIs('v1.36.2+k3s1'),
      },
      'VersionRefused (time, non-blocking)',
    ],
    [
      'of an agent cannot be compared with its server, which does not answer',
      { role: 'agent', installed: 'v1.36.2+k3s1', joined: joinedAgent, settings: auto, server: refused },
      'ApiUnavailable (time, non-blocking)',
    ],
  ] as const)('reports $2 if the executable $0', async (_name, given, expected) => {
    const {
      role = 'server',
      installed,
      joined,
      settings = {},
      server,
      wanted,
    } = {
      role: undefined,
      installed: undefined,
      joined: undefined,
      settings: undefined,
      server: undefined,
      wanted: undefined,
      ...given,
    };
    const host = memoryHost({ files: joined ? { [joined]: 'there' } : {} });
    aCluster(host);
    host.on(
      { file: '/usr/local/bin/k3s', args: ['--version'] },
      installed ? `k3s version ${installed} (1a2b3c4d)\ngo version go1.26.1\n` : { exitCode: 127 },
    );
    if (server !== undefined) {
      host.onGet(`${apiServer}/version`, server);
    }
    const node = aNode(role, { settings, ...(wanted && { version: wanted }) });
    expect(await outcome(k3sExecutable(node, []), host)).toBe(expected);
    expect(host.looks.includes(`${apiServer}/version`)).toBe(server !== undefined);
  });

  test.each([
    ['names no version', { exitCode: 0 }, 'Drifted (non-blocking) version'],
    ['cannot be executed', { exitCode: 126 }, 'Drifted (non-blocking) version'],
    ['is killed by a signal', { exitCode: 139 }, 'Drifted (non-blocking) version'],
  ])('downloads the executable of a joined node again if it %s', async (_, answer, expected) => {
    const host = memoryHost({ files: { [joinedServer]: 'there' } });
    host.on({ file: '/usr/local/bin/k3s', args: ['--version'] }, answer);
    expect(await outcome(k3sExecutable(aNode('server'), []), host)).toBe(expected);
  });

  test.each([
    ['is damaged', { exitCode: 126 }],
    ['is missing', { exitCode: 127 }],
  ])('downloads the release that the node last started if the executable %s', async (_, answer) => {
    const last = '/var/lib/rancher/k3s/slipway-last-version';
    const urls: string[] = [];
    const settings = { k3s: { upgrade: 'auto' } };
    for (const role of ['server', 'agent'] as const) {
      const files = { [joinedServer]: 'there', [joinedAgent]: 'there', [last]: 'v1.36.2+k3s1\n' };
      const host = memoryHost({ files }).onDownload(/./, 'v1.36.2+k3s1');
      host.on({ file: '/usr/local/bin/k3s', args: ['--version'] }, answer);
      for (const changes of [{}, { settings }]) {
        const finding = await k3sExecutable(aNode(role, changes), []).check(host);
        if (finding.state !== 'Drifted') {
          throw new Error(finding.state);
        }
        await carryOut(finding.drift.remedy, host);
        urls.push(finding.drift.summary ?? '');
      }
    }
    expect(new Set(urls)).toEqual(new Set(['download K3s v1.36.2+k3s1 to /usr/local/bin/k3s']));
  });

  test('reports drift if another user owns the executable', async () => {
    const host = memoryHost({ files: { '/usr/local/bin/k3s': { content: 'k3s', mode: 0o755 } } });
    host.files.give('/usr/local/bin/k3s', '1000:1000');
    host.on({ file: '/usr/local/bin/k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n');
    expect(await outcome(k3sExecutable(aNode('server'), []), host)).toBe('Drifted (non-blocking) owner');
  });

  test.each([
    ['that others may write to', { content: 'k3s', mode: 0o777 }, 'Drifted (non-blocking) mode'],
    ["behind an operator's link", { link: '/opt/k3s' }, 'InSync'],
  ])('reports $2 for an executable $0', async (_, found, expected) => {
    const host = memoryHost({ files: { '/usr/local/bin/k3s': found } });
    host.on({ file: '/usr/local/bin/k3s', args: ['--version'] }, 'k3s version v1.36.3+k3s1 (1a2b3c4d)\n');
    expect(await outcome(k3sExecutable(aNode('server'), []), host)).toBe(expected);
  });

  test.each([
    ['asks for consent to the upgrade', {}, 'VersionDrift'],
    ['leaves the upgrade to the turn of the node', auto, 'InProgress'],
  ])('keeps the release of a node that joins during the download, and $0', async (_, settings, reason) => {
    const host = memoryHost({ files: { '/usr/local/bin/k3s': { content: 'v1.36.2+k3s1', mode: 0o755 } } });
    aCluster(host);
    host.onDownload(/./, 'v1.36.3+k3s1').onGet(`${apiServer}/version`, serverIs('v1.36.3+k3s1'));
    host.on({ file: '/usr/local/bin/k3s', args: ['--version'] }, () => {
      return `k3s version ${host.files.text('/usr/local/bin/k3s')} (1a2b3c4d)\n`;
    });
    const finding = await k3sExecutable(aNode('agent', { settings }), []).check(host);
    if (finding.state !== 'Drifted') {
      throw new Error(finding.state);
    }
    await expect(finding.drift.remedy(host)).rejects.toThrow('download K3s v1.36.3+k3s1');
    host.advance(host.jobs.lasting);
    host.files.write(joinedAgent, 'there', 0o644);
    await expect(finding.drift.remedy(host)).rejects.toMatchObject({ reason, blocks: false });
    expect(host.files.text('/usr/local/bin/k3s')).toBe('v1.36.2+k3s1');
  });
});
