import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

const host = nodeHost();

/** Exchanges a directory for a link to another place and back, as fast as it can, until it is stopped. */
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

test('a removal never leaves its tree, though a directory in it is exchanged for a link all the while', async () => {
  const root = await temporaryFolder();
  const names = Array.from({ length: 60 }, (_, n) => `file-${n}`);
  await fill(`${root}/kept`, names);
  await mkdir(`${root}/tree`);
  const attacker = await start(exchanger(`${root}/tree/inner`, `${root}/kept`));
  for (let round = 0; round < 60; round += 1) {
    await fill(`${root}/tree/inner`, names).catch(() => {});
    // An attacker can keep a tree from being removed, by putting new entries in it; the error says so.
    await host.remove(`${root}/tree`).catch((thrown) => expect(thrown.reason).toBe('FileSystemError'));
    expect(await readdir(`${root}/kept`)).toHaveLength(names.length);
  }
  attacker.kill('SIGKILL');
  await once(attacker, 'exit');
  await host.remove(`${root}/tree`);
  expect((await readdir(root)).sort()).toEqual(['kept']);
});

test('a new directory that is exchanged for a link opens no file to others', async () => {
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

describe.skipIf(process.getuid?.() !== 0)('a link of another user (needs root, for chown)', () => {
  test.each([
    ['a link', async (root: string) => chown(`${root}/link`)],
    ['a link in a directory', async (root: string) => chown(root)],
  ])('%s of theirs is not followed by a write or a removal', async (_, give) => {
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
  for (const name of names) await writeFile(`${folder}/${name}`, 'kept');
}

async function start(script: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  return child;
}
