import { expect, test } from 'vitest';
import { realPath } from '../../../../src/agent/resources/real-path.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const files = {
  '/mnt/image': { link: '/images/one' },
  '/images/one/var/lib/rancher': { link: '/disk/rancher' },
  '/images/one/srv/up': { link: '../../../../disk' },
  '/images/one/disk/rancher/k3s/file': 'x',
};

test.each([
  ['/mnt/image', '/images/one'],
  ['/mnt/image/var/lib/rancher/k3s', '/images/one/disk/rancher/k3s'],
  ['/mnt/image/srv/up/rancher', '/images/one/disk/rancher'],
  ['/mnt/image/var/none/k3s', '/images/one/var/none/k3s'],
])('realPath resolves the links in %s within another root', async (path, real) => {
  expect(await realPath(memoryHost({ files }), path, '/mnt/image')).toBe(real);
});

test('realPath resolves an absolute link from the root of the machine if no other root is given', async () => {
  expect(await realPath(memoryHost({ files }), '/mnt/image/var/lib/rancher/k3s')).toBe('/disk/rancher/k3s');
});
