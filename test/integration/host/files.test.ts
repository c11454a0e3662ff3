import {
  chmod,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createPrivate, replaceWith } from '../../../src/agent/host/files/atomic-write.ts';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { processIdentity } from '../../../src/agent/host/process/process-identity.ts';
import { temporaryFolder } from './folder.ts';

const host = nodeHost();

test.skipIf(!isMainThread).each([0o000, 0o077])(
  'the modes of new files do not depend on the umask (%i in decimal; skipped in a worker thread)',
  async (umask) => {
    const old = process.umask(umask);
    onTestFinished(() => void process.umask(old));
    const root = await temporaryFolder();
    await host.writeFile(`${root}/a/b/file`, 'x', { mode: 0o644 });
    await host.writeFile(`${root}/a/b/secret`, 'x', { mode: 0o600 });
    const modes = await Promise.all(
      ['a', 'a/b', 'a/b/file', 'a/b/secret'].map((path) => stat(`${root}/${path}`)),
    );
    expect(modes.map(({ mode }) => mode & 0o7777)).toEqual([0o755, 0o755, 0o644, 0o600]);
  },
);

test('a write removes the drafts of the same file that a crash left behind, and no other file', async () => {
  const root = await temporaryFolder();
  const names = [
    '.file.slipway-tmp-deadbeef-1',
    '.other.slipway-tmp-deadbeef-1',
    '.file.slipway-part',
    '.file.bak',
  ];
  for (const name of names) {
    await writeFile(`${root}/${name}`, 'half');
  }
  await host.writeFile(`${root}/file`, 'whole', { mode: 0o644 });
  expect((await readdir(root)).sort()).toEqual([...names.slice(1), 'file'].sort());
});

test('a write does not remove the draft of another write', async () => {
  const root = await temporaryFolder();
  await replaceWith(`${root}/file`, async (draft) => {
    await writeFile(draft, 'slow');
    await host.writeFile(`${root}/file`, 'quick', { mode: 0o644 });
  });
  expect(await readFile(`${root}/file`, 'utf8')).toBe('slow');
});

test('the name of a draft contains the pid and the start time of its process', async () => {
  const root = await temporaryFolder();
  await replaceWith(`${root}/file`, async (draft) => {
    const [pid, start] = (await processIdentity(process.pid))?.split(' ') ?? [];
    expect(basename(draft).startsWith(`.file.slipway-tmp-${pid}.${start}-`)).toBe(true);
    await writeFile(draft, 'whole');
  });
});

test('a write does not remove the draft of another live process', async () => {
  const root = await temporaryFolder();
  const draft = `.file.slipway-tmp-${(await processIdentity(process.ppid))?.replace(' ', '.')}-deadbeef-1`;
  await writeFile(`${root}/${draft}`, 'half');
  await host.writeFile(`${root}/file`, 'whole', { mode: 0o644 });
  expect((await readdir(root)).sort()).toEqual([draft, 'file'].sort());
});

test('a write syncs the draft before the rename, and the directory after the rename', async () => {
  const root = await temporaryFolder();
  await using any = await open(root);
  const handles = Object.getPrototypeOf(any);
  const seen: unknown[] = [];
  const sync = handles.sync;
  const spy = vi.spyOn(handles, 'sync').mockImplementation(async function (this: FileHandle) {
    const synced = await this.stat();
    seen.push({
      folder: synced.isDirectory(),
      size: synced.isFile() && synced.size,
      names: await readdir(root),
    });
    return sync.apply(this);
  });
  onTestFinished(() => spy.mockRestore());
  await host.writeFile(`${root}/file`, 'whole', { mode: 0o644 });
  expect(seen).toEqual([
    { folder: false, size: 5, names: [expect.stringContaining('.file.slipway-tmp-')] },
    { folder: true, size: false, names: ['file'] },
  ]);
});

test('concurrent writes of one file succeed and leave no draft', async () => {
  const root = await temporaryFolder();
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => host.writeFile(`${root}/file`, `${n}`, { mode: 0o644 })),
  );
  expect(await readdir(root)).toEqual(['file']);
});

test('a failed write leaves no draft, and its error names the path', async () => {
  await expect(host.writeFile('/proc/slipway/file', 'x', { mode: 0o644 })).rejects.toMatchObject({
    name: 'NodeError',
    message: expect.stringContaining('Cannot write /proc/slipway/file'),
  });
  const root = await temporaryFolder();
  await host.writeFile(`${root}/dir/inner`, 'x', { mode: 0o644 });
  await expect(host.writeFile(`${root}/dir`, 'x', { mode: 0o644 })).rejects.toMatchObject({
    reason: 'FileSystemError',
  });
  expect(await readdir(root)).toEqual(['dir']);
});

test('the host refuses to read a pipe or a device, and does not wait for a writer', async () => {
  const path = `${await temporaryFolder()}/fifo`;
  await host.run({ file: 'mkfifo', args: [path] });
  for (const each of [path, '/dev/zero']) {
    await expect(host.readFile(each)).rejects.toMatchObject({
      reason: 'FileSystemError',
      message: expect.stringContaining(`Cannot read ${each}: it is not a regular file`),
    });
  }
});

test.skipIf(!isMainThread).each([0o600, 0o640, 0o644])(
  'a draft is empty and private until it gets its final mode (%i in decimal; skipped in a worker thread)',
  async (mode) => {
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const root = await temporaryFolder();
    await using any = await open(root);
    const handles = Object.getPrototypeOf(any);
    const seen: unknown[] = [];
    const chmod = handles.chmod;
    const spy = vi.spyOn(handles, 'chmod').mockImplementation(async function (this: FileHandle, ...args) {
      const { mode, size } = await this.stat();
      seen.push({ mode: mode & 0o7777, size });
      return chmod.apply(this, args);
    });
    onTestFinished(() => spy.mockRestore());
    await host.writeFile(`${root}/secret`, 'x', { mode });
    expect(seen).toEqual([{ mode: 0o600, size: 0 }]);
  },
);

test.skipIf(!isMainThread)(
  'a new directory is never writable by other users, even with the umask 0 (skipped in a worker thread)',
  async () => {
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const root = await temporaryFolder();
    await using any = await open(root);
    const handles = Object.getPrototypeOf(any);
    const seen: number[] = [];
    const chmod = handles.chmod;
    const spy = vi.spyOn(handles, 'chmod').mockImplementation(async function (this: FileHandle, ...args) {
      const found = await this.stat();
      if (found.isDirectory()) {
        seen.push(found.mode & 0o7777);
      }
      return chmod.apply(this, args);
    });
    onTestFinished(() => spy.mockRestore());
    await host.writeFile(`${root}/made/secret`, 'x', { mode: 0o600 });
    expect(seen).toEqual([0o755]);
  },
);

test.each([
  ['is followed if its directory has the mode 0755', 0o755, ['file']],
  ['is followed if its directory has the mode 1777', 0o1777, ['file']],
  ['is not followed if its directory has the mode 0777', 0o777, []],
])('a link in a path %s', async (_, mode, written) => {
  const root = await temporaryFolder();
  await mkdir(`${root}/target`);
  await mkdir(`${root}/folder`);
  await symlink('../target', `${root}/folder/link`);
  await chmod(`${root}/folder`, mode);
  const reason = await host.writeFile(`${root}/folder/link/file`, 'x', { mode: 0o600 }).then(
    () => undefined,
    (thrown) => thrown.reason,
  );
  expect(reason).toBe(written.length > 0 ? undefined : 'PermissionDenied');
  expect(await readdir(`${root}/target`)).toEqual(written);
});

test.skipIf(!isMainThread)(
  'Slipway does not change the mode of a directory that another user could replace (skipped in a worker thread)',
  async () => {
    const umask = process.umask(0o077);
    onTestFinished(() => void process.umask(umask));
    const root = await temporaryFolder();
    await chmod(root, 0o777);
    await host.writeFile(`${root}/made/inner/file`, 'x', { mode: 0o600 });
    const modes = await Promise.all(['made', 'made/inner'].map((path) => stat(`${root}/${path}`)));
    expect(modes.map(({ mode }) => mode & 0o7777)).toEqual([0o700, 0o755]);
  },
);

test('the reads of the host do not wait for the thread pool', async () => {
  const root = await temporaryFolder();
  await writeFile(`${root}/file`, 'x');
  const path = `${root}/file`;
  const reads = [() => host.readFile(path), () => host.stat(path), () => host.list(root)];
  const underway = reads.map((read) => {
    const before = process.getActiveResourcesInfo().length;
    const found = read();
    return { found, added: process.getActiveResourcesInfo().length - before };
  });
  expect(underway.map(({ added }) => added)).toEqual([0, 0, 0]);
  await expect(Promise.all(underway.map(({ found }) => found))).resolves.not.toContain(undefined);
});

describe('a file that must be new', () => {
  test('is not created if another process creates it at the last moment', async () => {
    const root = await temporaryFolder();
    const path = `${root}/a/b`;
    const isNew = await createPrivate(path, async (draft) => {
      await writeFile(draft, 'mine');
      await writeFile(path, 'theirs');
    });
    expect([isNew, await readFile(path, 'utf8'), await readdir(`${root}/a`)]).toEqual([
      false,
      'theirs',
      ['b'],
    ]);
  });

  test('is reported if it cannot have a hard link, and leaves no draft', async () => {
    const root = await temporaryFolder();
    // A directory stands for a file on a file system without hard links: link(2) refuses both with EPERM.
    await expect(createPrivate(`${root}/a`, (draft) => mkdir(draft))).rejects.toMatchObject({
      reason: 'FileSystemError',
      endedBy: 'person',
      message: expect.stringMatching(/^Cannot create .*\/a: its file system has no hard links \(EPERM\)/),
    });
    expect(await readdir(root)).toEqual([]);
  });

  test('is reported by the error of the system if it cannot be created for another reason', async () => {
    const root = await temporaryFolder();
    await expect(createPrivate(`${root}/a`, async () => {})).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(root)).toEqual([]);
  });

  test('is not even begun if something is there', async () => {
    const root = await temporaryFolder();
    await writeFile(`${root}/a`, 'theirs');
    expect(await createPrivate(`${root}/a`, () => expect.fail('begun'))).toBe(false);
  });
});
