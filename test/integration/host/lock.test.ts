import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { acquireLock } from '../../../src/agent/host/files/lock.ts';
import { temporaryFolder } from './folder.ts';

const module = new URL('../../../src/agent/host/files/lock.ts', import.meta.url).href;

test('the error about a held lock names the holder, and a released lock can be taken', async () => {
  const root = await temporaryFolder();
  const release = await acquireLock(`${root}/run/lock`);
  await expect(acquireLock(`${root}/run/lock`)).rejects.toMatchObject({
    reason: 'AlreadyRunning',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  await release();
  await (await acquireLock(`${root}/run/lock`))();
  expect(await readdir(`${root}/run`)).toEqual(['lock.held']);
  expect((await stat(`${root}/run/lock.held`)).mode & 0o777, 'who can open it can lock it').toBe(0o600);
});

test('a lock can be taken without a usable PATH', async () => {
  vi.stubEnv('PATH', '/nowhere');
  onTestFinished(() => void vi.unstubAllEnvs());
  await (await acquireLock(`${await temporaryFolder()}/lock`))();
});

test('a lock cannot be taken by another process until its holder is killed', async () => {
  const path = `${await temporaryFolder()}/lock`;
  const script = `const { acquireLock } = await import('${module}'); await acquireLock('${path}'); console.log('held'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  await expect(acquireLock(path)).rejects.toMatchObject({
    reason: 'AlreadyRunning',
    message: expect.stringContaining(`process ${holder.pid}`),
  });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const release = await acquireLock(path);
  expect(await readFile(path, 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+\\n$`));
  await release();
});

test.each([
  ['an earlier process with the same id', `${process.pid} 1 00000000-0000-0000-0000-000000000000`],
  ['no valid process id', ''],
  ['a dead process', '4194305 1 x'],
])('a lock file that names %s does not block the lock', async (_who, content) => {
  const path = `${await temporaryFolder()}/lock`;
  await writeFile(path, content);
  await (await acquireLock(path))();
});

test('exactly one of ten concurrent attempts takes the lock of a dead process', async () => {
  const path = `${await temporaryFolder()}/lock`;
  await writeFile(path, '4194305 1 x');
  const attempts = await Promise.allSettled(Array.from({ length: 10 }, () => acquireLock(path)));
  expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('the release of a lock whose files were removed does not release the next lock', async () => {
  const path = `${await temporaryFolder()}/lock`;
  const release = await acquireLock(path);
  await rm(`${path}.held`);
  await rm(path);
  const next = await acquireLock(path);
  await release();
  await expect(acquireLock(path)).rejects.toMatchObject({ reason: 'AlreadyRunning' });
  await next();
});
