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
 * Takes the lock of this machine, so that only one Slipway writes at a time; resolves with its release.
 *
 * The kernel keeps the lock, on `PATH.held`, and releases it when its holder ends in any way (flock.ts). The file at
 * `path` only names the holder, by process id and start time. `AlreadyRunning` names the living holder.
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

/** Takes the lock like `acquireLock`, but resolves with `undefined` while another living process holds it. */
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

/** True while a living process holds the lock. Any user may ask; an unreadable file names no holder. */
export async function isLocked(host: HostReader, path: string): Promise<boolean> {
  const found = await host.readFile(path).catch(() => undefined);
  return isAlive(found?.content.trim());
}

/** Writes the holder's name. Slipway 0.1.0 had only that name: while its process lives, it holds the lock. */
async function signLock(file: string, path: string): Promise<void> {
  await refuseTheLiving(file, path);
  // Without /proc, as in a chroot, the process id alone.
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
