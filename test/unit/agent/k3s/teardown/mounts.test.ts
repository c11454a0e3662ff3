import { expect, test } from 'vitest';
import { emptied } from '../../../../../src/agent/k3s/teardown/mounts.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { outcome, settle } from '../a-node.ts';

const data = '/var/lib/rancher/k3s';

/** K3s' data, with these mounted on the machine. */
function machine(...points: readonly string[]) {
  const lines = points.map((point) => `tmpfs ${point} tmpfs rw 0 0\n`);
  return memoryHost({ files: { '/proc/mounts': lines.join(''), [`${data}/a`]: 'a', [`${data}/b/c`]: 'c' } });
}

test.each([
  ['nothing is mounted', [], [`remove ${data}`]],
  ['something is mounted beside it', [`${data}-backup`], [`remove ${data}`]],
  ['it is a mount of its own', [data], [`remove ${data}/a`, `remove ${data}/b`]],
])('where %s it goes', async (_, points, expected) => {
  const host = machine(...points);
  expect((await settle(emptied(data, []), host)).at(-1)).toBe('InSync');
  expect(host.lines()).toEqual(expected);
});

test.each([[`${data}/storage/disk`], [`${data}/with\\040blank`]])(
  'nothing is deleted while something is mounted at %s',
  async (point) => {
    const host = machine(data, point);
    expect(await outcome(emptied(data, []), host)).toBe('FileSystemError soon');
    await expect(emptied(data, []).check(host)).rejects.toThrow(point.replace('\\040', ' '));
  },
);
