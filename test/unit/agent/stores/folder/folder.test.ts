import { expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { objectStore } from '../../../../../src/agent/stores/index.ts';
import { FakeCloud } from '../../../../lab/fake-cloud.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';

const to = '/mnt/backup';
const name = 'cluster/backup/manifest.json';

test('a folder on a file server that hangs is not read, because the read would stop the whole process', async () => {
  const host = memoryHost({ directories: [to] }).on(
    { file: 'stat', args: ['--file-system', '--format=%T', '--', to] },
    () => {
      throw new NodeError('CommandTimedOut', 'stat took more than 20 s.');
    },
  );
  const touched: string[] = [];
  for (const call of ['stat', 'list', 'readFile', 'copyFile', 'digestFile', 'writeFile', 'remove'] as const) {
    Object.assign(host, {
      [call]: async (path: string) => {
        touched.push(`${call} ${path}`);
      },
    });
  }
  const store = objectStore({ to }, { host, cloud: new FakeCloud() });
  for (const attempt of [
    () => store.put(name, '/from', { bytes: 1, sha256: 'x' }),
    () => store.claim(name, 'text'),
    () => store.read(name, 100),
    () => store.fetch(name, '/goal', 100),
    () => store.list(''),
    () => store.remove(name),
  ]) {
    await expect(attempt()).rejects.toMatchObject({
      reason: 'StoreUnavailable',
      message: expect.stringContaining('umount -l /mnt/backup'),
    });
  }
  expect(touched).toEqual([]);
});
