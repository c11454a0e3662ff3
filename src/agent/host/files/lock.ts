import { rm } from 'node:fs/promises';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { isAlive, processIdentity } from '../process/process-identity.ts';
import { atomicWrite } from './atomic-write.ts';
import { readNote } from './bounded-read.ts';
import { fileError, unlessMissing } from './file-errors.ts';
import { holdFile } from './flock.ts';
import { inPlace } from './openat.ts';

/**
 * Takes the lock at `path`, which at most one process of this machine holds. Resolves with a function that releases the
 * lock.
 *
 * The lock is an flock(2) on `PATH.held`, which the kernel releases however the holder ends (flock.ts). The file at
 * `path` only names the holder, by process id and start time. Throws `AlreadyRunning` with the holder's process id, and
 * the errors of files and of flock(1).
 */
export async function acquireLock(path: string, root = '/'): Promise<() => Promise<void>> {
  try {
    return await inPlace(path, { root, make: true }, async (place) => {
      await refuseTheLiving(place.path, path);
      const letGo = await holdFile(`${place.path}.held`);
      if (letGo === undefined) {
        throw alreadyRunning(path, await holderOf(place.path));
      }
      try {
        await signLock(place.path, path);
      } catch (thrown) {
        await letGo();
        throw thrown;
      }
      return () => releaseLock(path, root, letGo);
    });
  } catch (thrown) {
    throw fileError(thrown, 'lock', path);
  }
}

/** Takes the lock as `acquireLock` does, but resolves with `undefined` while another process holds the lock. */
export async function tryLock(path: string, root = '/'): Promise<(() => Promise<void>) | undefined> {
  try {
    return await acquireLock(path, root);
  } catch (thrown) {
    if (thrown instanceof NodeError && thrown.reason === 'AlreadyRunning') {
      return undefined;
    }
    throw thrown;
  }
}

/**
 * True if the process that the lock file names is running; false if the file is missing or unreadable. Needs no
 * privileges.
 */
export async function isLocked(host: HostReader, path: string): Promise<boolean> {
  const found = await host.readFile(path).catch(() => undefined);
  return isAlive(found?.content.trim());
}

/**
 * Writes the identity of this process to `file`. Throws `AlreadyRunning` while the process that `file` names is
 * running, because earlier builds of Slipway used only this file as their lock.
 */
async function signLock(file: string, path: string): Promise<void> {
  await refuseTheLiving(file, path);
  // Without /proc, as in a chroot, the file contains only the process id.
  await atomicWrite(file, `${(await processIdentity(process.pid)) ?? process.pid}\n`, 0o644);
}

async function releaseLock(path: string, root: string, letGo: () => Promise<void>): Promise<void> {
  try {
    await unlessMissing(inPlace(path, { root }, (place) => rm(place.path)));
  } finally {
    await letGo();
  }
}

async function refuseTheLiving(file: string, path: string): Promise<void> {
  const holder = await holderOf(file);
  if (await isAlive(holder)) {
    throw alreadyRunning(path, holder);
  }
}

function alreadyRunning(path: string, holder: string | undefined): NodeError {
  const process = holder ? ` (process ${holder.split(' ')[0]})` : '';
  return new NodeError(
    'AlreadyRunning',
    `Another slipway${process} holds ${path}. Wait until it is done, or stop it: systemctl stop slipway.`,
  );
}

async function holderOf(path: string): Promise<string | undefined> {
  return (await readNote(path))?.trim();
}
