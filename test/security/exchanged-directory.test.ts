import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

const host = nodeHost();

/** Returns a script that keeps swapping a directory with a link to `target` and back, as fast as possible. */
const exchanger = (path: string, target: string) => `
  const { mkdirSync, renameSync, symlinkSync, unlinkSync } = require('node:fs');
  const attempt = (work) => { try { work(); } catch {} };
  process.send('ready');
  setInterval(() => {
    const end = Date.now() + 50;
    while (Date.now() < end) {
      attempt(() => renameSync('${path}', '${path}.aside'));
      attempt(() => symlinkSync('${target}', '${path}'));
      attempt(() => unlinkSync('${path}'));
      attempt(() => renameSync('${path}.aside', '${path}'));
    }
  }, 0);
`;

test('the removal of a tree deletes nothing outside the tree while a directory in the tree is swapped with a link', async () => {
  const root = await temporaryFolder();
  const names = Array.from({ length: 60 }, (_, n) => `file-${n}`);
  await fill(`${root}/kept`, names);
  await mkdir(`${root}/tree`);
  const attacker = await start(exchanger(`${root}/tree/inner`, `${root}/kept`));
  for (let round = 0; round < 60; round += 1) {
    await fill(`${root}/tree/inner`, names).catch(() => {});
    // An attacker can make the removal fail by adding entries to the tree.
    await host.remove(`${root}/tree`).catch((thrown) => expect(thrown.reason).toBe('FileSystemError'));
    expect(await readdir(`${root}/kept`)).toHaveLength(names.length);
  }
  attacker.kill('SIGKILL');
  await once(attacker, 'exit');
  await host.remove(`${root}/tree`);
  expect((await readdir(root)).sort()).toEqual(['kept']);
});

test('the mode of a file does not change while a new directory is swapped with a link to the file', async () => {
  const root = await temporaryFolder();
  await writeFile(`${root}/secret`, 'x', { mode: 0o600 });
  await start(exchanger(`${root}/new`, `${root}/secret`));
  for (let round = 0; round < 200; round += 1) {
    await host.writeFile(`${root}/new/file`, 'x', { mode: 0o644 }).catch(() => {});
    expect((await stat(`${root}/secret`)).mode & 0o777).toBe(0o600);
    await host.remove(`${root}/new`).catch(() => {});
    await host.remove(`${root}/new.aside`).catch(() => {});
  }
});

describe.skipIf(process.getuid?.() !== 0)('a link (needs root, for chown)', () => {
  test.each([
    ['another user owns the link', async (root: string) => chown(`${root}/link`)],
    ['another user owns the directory of the link', async (root: string) => chown(root)],
  ])('is not followed by a write or a removal if %s', async (_, give) => {
    const root = await temporaryFolder();
    await fill(`${root}-kept`, ['file']);
    onTestFinished(() => host.remove(`${root}-kept`));
    await symlink(`${root}-kept`, `${root}/link`);
    await give(root);
    const refusal = { reason: 'PermissionDenied', message: expect.stringContaining('another user') };
    await expect(host.remove(`${root}/link/file`)).rejects.toMatchObject(refusal);
    await expect(host.writeFile(`${root}/link/file`, 'new', { mode: 0o644 })).rejects.toMatchObject(refusal);
    expect(await readFile(`${root}-kept/file`, 'utf8')).toBe('kept');
    await host.remove(`${root}/link`);
  });
});

async function chown(path: string): Promise<void> {
  await host.run({ file: 'chown', args: ['-h', '12345', path] });
}

async function fill(folder: string, names: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of names) {
    await writeFile(`${folder}/${name}`, 'kept');
  }
}

async function start(script: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}
