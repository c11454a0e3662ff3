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

/** Creates a sparse file that is larger than the longest JavaScript string and uses no disk space; returns its path. */
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

test('the host refuses to read a file of 8 GiB, and names the path of the file', async () => {
  const path = await sparseFile();
  await expect(nodeHost().readFile(path)).rejects.toMatchObject(refusalOf(path));
});

test('the host refuses to read a file of 8 GiB through a link', async () => {
  const [path, root] = [await sparseFile(), await temporaryFolder()];
  await symlink(path, `${root}/link`);
  await expect(nodeHost().readFile(`${root}/link`)).rejects.toMatchObject(refusalOf(`${root}/link`));
});

test('a file of 8 GiB is refused as the login of a proxy', async () => {
  const path = await sparseFile();
  await expect(readProxyLogin(path)).rejects.toMatchObject(refusalOf(path));
});

test('a file of 8 GiB is refused as network.caFile', async () => {
  const path = await sparseFile();
  await expect(new TrustStore(path, []).context()).rejects.toMatchObject(refusalOf(path));
});

test('an endless file with a reported size of 0 is refused', async () => {
  await using file = await open('/dev/zero');
  const read = async () => readText(file.fd, '/proc/endless');
  await expect(read()).rejects.toMatchObject(refusalOf('/proc/endless'));
});

test('the host reads files in /proc, which report a size of 0', async () => {
  expect((await nodeHost().readFile('/proc/self/mounts'))?.content).toContain('/proc');
});

describe('unusable files of Slipway', () => {
  test('a lock file of 8 GiB does not prevent the lock from being taken', async () => {
    const path = await sparseFile();
    expect(await isLocked(nodeHost(), path)).toBe(false);
    const release = await acquireLock(path);
    await release();
  });

  test('a lock file that is a pipe does not block the check of the lock', async () => {
    const path = `${await temporaryFolder()}/lock`;
    execFileSync('mkfifo', [path]);
    expect(await isLocked(nodeHost(), path)).toBe(false);
  });

  test('a download note of 8 GiB makes the download start over', async () => {
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

test('a directory with too many entries is not listed', async () => {
  const folder = await temporaryFolder();
  for (const name of ['a', 'b', 'c']) {
    await writeFile(`${folder}/${name}`, '');
  }
  expect(readNames(folder, folder, 3).sort()).toEqual(['a', 'b', 'c']);
  const read = async () => readNames(folder, '/etc/slipway/config.d', 2);
  await expect(read()).rejects.toMatchObject({
    reason: 'FileSystemError',
    message: expect.stringContaining('Cannot list /etc/slipway/config.d: it has more than 2 entries'),
  });
});
