import { describe, expect, test } from 'vitest';
import { noexecMount, refusesCgroupV1 } from '../../../../../src/agent/parts/machine/host-requirements.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

test.each([
  ['v1.34.9+k3s1', false],
  ['v1.35.0+k3s1', true],
  ['v2.0.0+k3s1', true],
  ['latest', true],
])('refusesCgroupV1 for K3s %s returns %j', async (version, expected) => {
  expect(await refusesCgroupV1(memoryHost(), aNode('agent', { version }))).toBe(expected);
});

describe('the noexec mount of a path', () => {
  const root = '/dev/sda1 / ext4 rw 0 0';
  test.each([
    [
      'is the root directory if nothing else is mounted above the path',
      ['/dev/sda1 / ext4 rw,noexec 0 0'],
      '/',
    ],
    [
      'is the path itself if a noexec file system is mounted there',
      [root, 'x /var/lib ext4 noexec 0 0'],
      '/var/lib',
    ],
    [
      'is undefined if the nearest mount above the path is not noexec',
      ['/dev/sda1 / ext4 noexec 0 0', 'x /var ext4 rw 0 0'],
      undefined,
    ],
    [
      'is the nearest mount even if the list names it first',
      ['x /var/lib ext4 noexec 0 0', root],
      '/var/lib',
    ],
    [
      'is undefined if a later mount on the same path is not noexec',
      [root, 'x /var ext4 noexec 0 0', 'y /var ext4 rw 0 0'],
      undefined,
    ],
    [
      'is not a mount whose name is only the beginning of a directory name in the path',
      [root, 'x /var/li ext4 noexec 0 0'],
      undefined,
    ],
    ['is not a mount with an option that ends with noexec', ['/dev/sda1 / ext4 rw,xnoexec 0 0'], undefined],
    ['is undefined without a list of mounts', [], undefined],
  ])('%s', async (_, lines, expected) => {
    const host = memoryHost({ files: { '/proc/self/mounts': `${lines.join('\n')}\n` } });
    expect(await noexecMount(host, '/var/lib')).toBe(expected);
  });

  test('is returned with a space in its path, which /proc/self/mounts escapes', async () => {
    const host = memoryHost({ files: { '/proc/self/mounts': 'x /my\\040disk ext4 noexec 0 0\n' } });
    expect(await noexecMount(host, '/my disk/k3s')).toBe('/my disk');
  });
});
