import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, open, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readNames, readText } from '../../src/agent/host/files/bounded-read.ts';
import { acquireLock, isLocked } from '../../src/agent/host/files/lock.ts';
import { readProxyLogin } from '../../src/agent/host/http/proxy-login.ts';
import { TrustStore } from '../../src/agent/host/http/trust-store.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { bringBy } from '../integration/host/bring.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

/** Larger than the longest string of JavaScript, and sparse: it has no block on the disk. */
async function sparseFile(): Promise<string> {
  const path = `${await temporaryFolder()}/registries.yaml`;
  await writeFile(path, '');
  await chmod(path, 0o600);
  await truncate(path, 8 * 1024 ** 3);
  return path;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function refusalOf(path: string) {
  return {
    reason: 'FileSystemError',
    message: expect.stringContaining(`Cannot read ${path}: it is larger than 4 MiB`),
  };
}

test('refuses a file of 8 GiB and names its path', async () => {
  const path = await sparseFile();
  await expect(nodeHost().readFile(path)).rejects.toMatchObject(refusalOf(path));
});

test('refuses a file of 8 GiB behind a link', async () => {
  const [path, root] = [await sparseFile(), await temporaryFolder()];
  await symlink(path, `${root}/link`);
  await expect(nodeHost().readFile(`${root}/link`)).rejects.toMatchObject(refusalOf(`${root}/link`));
});

test('refuses a file of 8 GiB as the login of a proxy', async () => {
  const path = await sparseFile();
  await expect(readProxyLogin(path)).rejects.toMatchObject(refusalOf(path));
});

test('refuses a file of 8 GiB as network.caFile', async () => {
  const path = await sparseFile();
  await expect(new TrustStore(path, []).context()).rejects.toMatchObject(refusalOf(path));
});

test('refuses a file that claims to be empty and never ends', async () => {
  await using file = await open('/dev/zero');
  await expect(readText(file, '/proc/endless')).rejects.toMatchObject(refusalOf('/proc/endless'));
});

test('reads files of /proc, which report no size', async () => {
  expect((await nodeHost().readFile('/proc/self/mounts'))?.content).toContain('/proc');
});

describe('a lock file or a download note of Slipway', () => {
  test('of 8 GiB names no holder, so the lock is taken', async () => {
    const path = await sparseFile();
    expect(await isLocked(nodeHost(), path)).toBe(false);
    const release = await acquireLock(path);
    await release();
  });

  test('does not make the lock wait for the other end of a pipe', async () => {
    const path = `${await temporaryFolder()}/lock`;
    execFileSync('mkfifo', [path]);
    expect(await isLocked(nodeHost(), path)).toBe(false);
  });

  test('of 8 GiB beside a download makes the download start over', async () => {
    const folder = await temporaryFolder();
    const served = createServer((request, response) =>
      response.end(request.url === '/sums' ? `${digestOf('k3s')}  k3s\n` : 'k3s'),
    );
    await new Promise<void>((resolve) => served.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void served.close());
    const base = `http://127.0.0.1:${(served.address() as AddressInfo).port}`;
    await writeFile(`${folder}/.k3s.slipway-part`, 'k');
    for (const note of ['json', 'refused']) {
      await rename(await sparseFile(), `${folder}/.k3s.slipway-part.${note}`);
    }
    await bringBy(nodeHost(), {
      ...{ url: `${base}/k3s`, checksum: { url: `${base}/sums`, name: 'k3s' } },
      ...{ path: `${folder}/k3s`, mode: 0o755 },
    });
    expect(await readFile(`${folder}/k3s`, 'utf8')).toBe('k3s');
  });
});

test('refuses to list a directory with too many entries', async () => {
  const folder = await temporaryFolder();
  for (const name of ['a', 'b', 'c']) {
    await writeFile(`${folder}/${name}`, '');
  }
  expect((await readNames(folder, folder, 3)).sort()).toEqual(['a', 'b', 'c']);
  await expect(readNames(folder, '/etc/slipway/config.d', 2)).rejects.toMatchObject({
    reason: 'FileSystemError',
    message: expect.stringContaining('Cannot list /etc/slipway/config.d: it has more than 2 entries'),
  });
});
