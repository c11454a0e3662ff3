import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { close as closeFile, constants, open as openFile, fstat as statFile } from 'node:fs';
import { stat } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from '../../engine/host.ts';
import { commandFailed } from '../process/command-failed.ts';
import { childEnvironment, standardPath } from '../process/environment.ts';
import { errnoOf, unlessMissing } from './file-errors.ts';

const [open, close, fstat] = [promisify(openFile), promisify(closeFile), promisify(statFile)];

/**
 * The command that locks the open file on its descriptor 3, and exits with 1 if that file is already locked (util-linux
 * or BusyBox).
 */
const flock: Command = { file: 'flock', args: ['-x', '-n', '3'] };

/**
 * Opens a file and locks it with flock(2). Resolves with a function that releases the lock, or with `undefined` while
 * another process holds the lock. A release leaves the file in place. Throws the system's errors, `CommandNotFound` and
 * `CommandFailed`.
 *
 * Node has no flock(2), so a short-lived flock(1) locks the open file that it inherits. The kernel releases the lock
 * when this process ends, so a lock is never stale (ADR 20). Mode 0600 keeps other users from opening the file, since a
 * user who can open it can lock it.
 */
export async function holdFile(path: string): Promise<(() => Promise<void>) | undefined> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  // A numeric descriptor, because garbage collection would close a FileHandle and release the lock.
  const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  const release = () => close(file);
  try {
    if (!(await isLockedNow(file))) {
      return await release().then(() => undefined);
    }
    if (await standsAt(path, file)) {
      return release;
    }
  } catch (thrown) {
    await release();
    throw thrown;
  }
  // The file was removed or replaced before it was locked, so the lock excludes no other process.
  await release();
  return holdFile(path);
}

async function isLockedNow(file: number): Promise<boolean> {
  // Adds the standard directories, so that flock(1) is found regardless of the PATH of this process.
  const path = [process.env.PATH, standardPath].filter(Boolean).join(delimiter);
  const env = childEnvironment({ PATH: path }, {});
  const child = spawn(flock.file, flock.args, { env, stdio: ['ignore', 'ignore', 'ignore', file] });
  const exitCode = await once(child, 'close').then(([code]) => Number(code ?? 128), flockMissing);
  if (exitCode > 1) {
    throw commandFailed(flock, { exitCode, stdout: '', stderr: '' });
  }
  return exitCode === 0;
}

function flockMissing(thrown: unknown): number {
  if (errnoOf(thrown) === 'ENOENT') {
    return 127;
  }
  throw thrown;
}

async function standsAt(path: string, file: number): Promise<boolean> {
  const [named, opened] = await Promise.all([unlessMissing(stat(path)), fstat(file)]);
  return named?.dev === opened.dev && named.ino === opened.ino;
}
