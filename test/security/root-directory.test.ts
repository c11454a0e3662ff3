import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { acquireLock, isLocked, tryLock } from '../../src/agent/host/files/lock.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

let machine: string;
let image: string;

/** Creates a machine and, in it, an image with links whose targets exist in both. */
beforeEach(async () => {
  machine = await temporaryFolder();
  image = join(machine, 'image');
  await put(`${machine}/data/file`, 'of the machine');
  await put(`${image}${machine}/data/file`, 'of the image');
  await mkdir(`${image}/etc`);
  await symlink(`${machine}/data`, `${image}/etc/absolute`);
  await symlink(`../../../../../../../..${machine}/data`, `${image}/etc/relative`);
  await symlink(`${machine}/data/file`, `${image}/etc/link`);
});

test.each(['absolute', 'relative'])(
  'changes through a link stay within the image if the link is %s',
  async (link) => {
    const host = nodeHost({ root: image });
    const path = `${image}/etc/${link}`;
    expect((await host.readFile(`${path}/file`))?.content).toBe('of the image');
    expect(await host.list(path)).toEqual(['file']);
    await host.writeFile(`${path}/new`, 'x', { mode: 0o644 });
    await host.link(`${path}/alias`, 'new');
    await host.rename(`${path}/new`, `${path}/deep/moved`);
    await host.remove(`${path}/file`);
    await (await acquireLock(`${path}/lock`, image))();
    expect(await readdir(`${machine}/data`)).toEqual(['file']);
    expect((await readdir(`${image}${machine}/data`)).sort()).toEqual(['alias', 'deep', 'lock.held']);
  },
);

test('a lock behind a link is read and taken within the image', async () => {
  await put(`${machine}/data/lock`, await readFile('/proc/self/stat', 'utf8').then(stampIn));
  const path = `${image}/etc/absolute/lock`;
  const host = nodeHost({ root: image });
  expect(await isLocked(nodeHost(), path)).toBe(true);
  expect(await isLocked(host, path)).toBe(false);
  const release = await tryLock(path, image);
  expect(await isLocked(host, path)).toBe(true);
  await release?.();
  expect(await readdir(`${machine}/data`)).toEqual(['file', 'lock']);
});

test('a link to a file is read within the image, and a link is removed without its target', async () => {
  const host = nodeHost({ root: image });
  expect((await host.readFile(`${image}/etc/link`))?.content).toBe('of the image');
  expect((await host.stat(`${image}/etc/link`))?.target).toBe(`${machine}/data/file`);
  await host.remove(`${image}/etc/absolute`);
  expect(await readFile(`${image}${machine}/data/file`, 'utf8')).toBe('of the image');
});

test('parent directories are created within the image, even behind a dangling link', async () => {
  await symlink('/nowhere', `${image}/etc/dangling`);
  const host = nodeHost({ root: image });
  const write = host.writeFile(`${image}/etc/dangling/a/file`, 'x', { mode: 0o644 });
  await write;
  expect(await readFile(`${image}/nowhere/a/file`, 'utf8')).toBe('x');
  expect(await readlink(`${image}/etc/dangling`)).toBe('/nowhere');
});

test('a path outside the image is not redirected into the image', async () => {
  const host = nodeHost({ root: image });
  expect((await host.readFile(`${machine}/data/file`))?.content).toBe('of the machine');
  expect((await host.readFile('/proc/self/stat'))?.content).toMatch(/^\d+ /);
});

/** Returns what a lock file of this process contains, its PID and start time, from the text of /proc/self/stat. */
function stampIn(stat: string): string {
  return `${stat.split(' ')[0]} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
