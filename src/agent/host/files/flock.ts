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
 * Locks the open file that it inherits as its descriptor 3, and exits with 1 if it is locked (util-linux, or BusyBox).
 */
const flock: Command = { file: 'flock', args: ['-x', '-n', '3'] };

/**
 * Opens the file and locks it with flock(2); resolves with its release, or `undefined` while it is locked elsewhere.
 * The file stays when the lock is released. Throws what the system throws, and `CommandNotFound`.
 *
 * The lock belongs to the open file, which this process shares with the short-lived flock(1), because Node has no flock
 * of its own. The kernel releases it when this process ends, so a lock is never stale (ADR 20). The file is closed to
 * other users, because a user who can open it can lock it.
 */
export async function holdFile(path: string): Promise<(() => Promise<void>) | undefined> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  // A number and not a FileHandle: garbage collection would close a FileHandle and lose the lock.
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
  // The file was removed between its opening and its lock, so its lock excludes no process any more.
  await release();
  return holdFile(path);
}

async function isLockedNow(file: number): Promise<boolean> {
  // A lock needs flock(1), whatever the PATH of this process is.
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
