import { describe, expect, test } from 'vitest';
import { emptied, unmounted } from '../../../../../../src/agent/parts/k3s/teardown/mounts.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { outcome, settle } from '../../../a-node.ts';

const data = '/var/lib/rancher/k3s';

/** Returns a machine with data of K3s and these mount points. */
function machine(...points: readonly string[]) {
  const lines = points.map((point) => `tmpfs ${point} tmpfs rw 0 0\n`);
  return memoryHost({ files: { '/proc/mounts': lines.join(''), [`${data}/a`]: 'a', [`${data}/b/c`]: 'c' } });
}

test.each([
  ['nothing is mounted', [], [`remove ${data}`]],
  ['something is mounted beside the data', [`${data}-backup`], [`remove ${data}`]],
  ['the data is a mount point', [data], [`remove ${data}/a`, `remove ${data}/b`]],
])('emptied removes the data of K3s if %s', async (_, points, expected) => {
  const host = machine(...points);
  expect((await settle(emptied(data, []), host)).at(-1)).toBe('InSync');
  expect(host.lines()).toEqual(expected);
});

test.each([[`${data}/storage/disk`], [`${data}/with\\040blank`]])(
  'emptied deletes nothing while something is mounted at %s',
  async (point) => {
    const host = machine(data, point);
    expect(await outcome(emptied(data, []), host)).toBe('FileSystemError (time)');
    await expect(emptied(data, []).check(host)).rejects.toThrow(point.replace('\\040', ' '));
  },
);

describe('data of K3s behind a link', () => {
  /**
   * Returns a machine on which /var/lib/rancher is a link to a separate disk, and /proc/mounts lists these mount points
   * by their paths on the disk.
   */
  function linked(...points: readonly string[]) {
    const lines = points.map((point) => `tmpfs ${point} tmpfs rw 0 0\n`);
    return memoryHost({
      files: {
        '/proc/mounts': lines.join(''),
        '/var/lib/rancher': { link: '../../disk/rancher' },
        '/disk/rancher/k3s/a': 'a',
      },
    });
  }

  test('is not deleted while something is mounted in it', async () => {
    expect(await outcome(emptied(data, []), linked('/disk', '/disk/rancher/k3s/storage'))).toBe(
      'FileSystemError (time)',
    );
  });

  test('is unmounted by its real path', async () => {
    const host = linked('/disk', '/disk/rancher/k3s/agent/containerd/a');
    host.on({ file: 'umount' }, () => {
      host.files.write('/proc/mounts', 'tmpfs /disk tmpfs rw 0 0\n');
      return '';
    });
    const prefixes = [`${data}/agent/containerd/`, '/run/netns/cni-'];
    expect(await settle(unmounted(prefixes, []), host)).toEqual([
      'Drifted /disk/rancher/k3s/agent/containerd/a',
      'InSync',
    ]);
    expect(host.lines()).toEqual(['run umount --lazy -- /disk/rancher/k3s/agent/containerd/a']);
  });

  test('is not searched endlessly if links form a circle', async () => {
    const host = memoryHost({ files: { '/proc/mounts': '', '/a': { link: '/b' }, '/b': { link: 'a' } } });
    expect(await outcome(unmounted(['/a/'], []), host)).toBe('InSync');
  });

  test('is emptied if the directory itself is a link', async () => {
    const host = machine();
    host.files.link('/linked', data);
    expect((await settle(emptied('/linked', []), host)).at(-1)).toBe('InSync');
    expect(host.lines()).toEqual(['remove /linked/a', 'remove /linked/b']);
    expect(host.files.list(data)).toEqual([]);
  });
});
