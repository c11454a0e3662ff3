import { chmod, open, symlink, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readText } from '../../src/agent/host/bounded-read.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { readProxyLogin } from '../../src/agent/host/proxy-login.ts';
import { TrustStore } from '../../src/agent/host/trust-store.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

/** Larger than the longest string of JavaScript, and without a block on the disk. */
async function sparseFile(): Promise<string> {
  const path = `${await temporaryFolder()}/registries.yaml`;
  await writeFile(path, '');
  await chmod(path, 0o600);
  await truncate(path, 8 * 1024 ** 3);
  return path;
}

function refusalOf(path: string) {
  return {
    reason: 'FileSystemError',
    message: expect.stringContaining(`Cannot read ${path}: it is larger than 4 MiB`),
  };
}

test('refuses a file of 8 GiB with its path', async () => {
  const path = await sparseFile();
  await expect(nodeHost().readFile(path)).rejects.toMatchObject(refusalOf(path));
});

test('refuses it behind a link', async () => {
  const [path, root] = [await sparseFile(), await temporaryFolder()];
  await symlink(path, `${root}/link`);
  await expect(nodeHost().readFile(`${root}/link`)).rejects.toMatchObject(refusalOf(`${root}/link`));
});

test('refuses it as the login of a proxy', async () => {
  const path = await sparseFile();
  await expect(readProxyLogin(path)).rejects.toMatchObject(refusalOf(path));
});

test('refuses it as network.caFile', async () => {
  const path = await sparseFile();
  await expect(new TrustStore(path, []).context()).rejects.toMatchObject(refusalOf(path));
});

test('refuses a file that claims to be empty and never ends', async () => {
  await using file = await open('/dev/zero');
  await expect(readText(file, '/proc/endless')).rejects.toMatchObject(refusalOf('/proc/endless'));
});

test('reads files of /proc, which claim no size', async () => {
  expect((await nodeHost().readFile('/proc/self/mounts'))?.content).toContain('/proc');
});
