import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { objectStore } from '../../src/agent/stores/index.ts';
import { memoryHost } from '../lab/memory-host.ts';
import { MemoryStore } from '../lab/memory-store.ts';
import { describeStore, type StoreStage } from './store.ts';

const cloud = {
  name: 'static',
  secret: () => Promise.reject(new NodeError('SecretNotFound', 'no secret')),
};

describeStore('a folder on a disk', async (): Promise<StoreStage> => {
  const root = await mkdtemp(join(tmpdir(), 'slipway-store-'));
  const to = join(root, 'backup');
  await mkdir(to);
  const ground = { host: nodeHost(), cloud };
  return {
    store: objectStore({ to }, ground),
    other: objectStore({ to }, { host: nodeHost(), cloud }),
    host: ground.host,
    folder: root,
    lose: () => rm(to, { recursive: true }),
    dispose: () => rm(root, { recursive: true }),
  };
});

describeStore('a folder in memory', async (): Promise<StoreStage> => {
  const host = memoryHost({ directories: ['/mnt/backup', '/work'] });
  host.on({ file: 'stat', args: /^--file-system/ }, 'ext2/ext3\n');
  const store = objectStore({ to: '/mnt/backup' }, { host, cloud });
  return {
    store,
    other: objectStore({ to: '/mnt/backup' }, { host, cloud }),
    host,
    folder: '/work',
    lose: async () => host.files.remove('/mnt/backup'),
    async protect() {
      host.failWrite('/mnt/backup/0123456789ab/20261130T120000Z-vm-1/datastore.zst', 'EROFS');
    },
    dispose: async () => {},
  };
});

describeStore('a store in memory', async (): Promise<StoreStage> => {
  const host = memoryHost({ directories: ['/work'] });
  const memory = new MemoryStore();
  return {
    store: memory.storeOn(host),
    other: memory.storeOn(host),
    host,
    folder: '/work',
    lose: async () => {
      memory.exists = false;
    },
    protect: async () => void memory.deny('remove'),
    dispose: async () => {},
  };
});
