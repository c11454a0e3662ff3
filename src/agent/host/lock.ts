import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NodeError } from '../core/errors.ts';
import { makeDirectory } from './atomic-write.ts';
import { errnoOf, fileError } from './file-errors.ts';
import { lives, stampOf } from './living.ts';

/**
 * Takes the lock of this machine, so that one Slipway writes at a time; resolves with its release.
 *
 * The lock names its holder by process id and start time, so one that a killed process or an earlier boot left behind
 * holds nobody up. `AlreadyRunning` names the living holder.
 */
export async function acquireLock(path: string): Promise<() => Promise<void>> {
  const own = await stampOf(process.pid);
  try {
    await makeDirectory(dirname(path));
    while (!(await taken(path, `${own}\n`))) await evictTheDead(path);
  } catch (thrown) {
    throw fileError(thrown, 'lock', path);
  }
  return async () => {
    if ((await lockedBy(path)) === own) await rm(path, { force: true });
  };
}

/** The same for who can wait: `undefined` while another living process holds the lock. */
export async function tryLock(path: string): Promise<(() => Promise<void>) | undefined> {
  try {
    return await acquireLock(path);
  } catch (thrown) {
    if (thrown instanceof NodeError && thrown.reason === 'AlreadyRunning') return undefined;
    throw thrown;
  }
}

/** Whether a living process holds the lock. */
export async function isLocked(path: string): Promise<boolean> {
  return lives(await lockedBy(path));
}

/** A hard link appears with its content, or not at all where another stands there. */
async function taken(path: string, content: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, content, { mode: 0o644, flag: 'wx' });
    await link(draft, path);
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === 'EEXIST') return false;
    throw thrown;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Takes the lock of a dead process away. What was moved is looked at again: another may have been faster. */
async function evictTheDead(path: string): Promise<void> {
  await refuseTheLiving(path, path);
  const evicted = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(path, evicted);
    await refuseTheLiving(path, evicted);
  } catch (thrown) {
    if (thrown instanceof NodeError) await rename(evicted, path);
    else if (errnoOf(thrown) !== 'ENOENT') throw thrown;
  }
  await rm(evicted, { force: true });
}

async function refuseTheLiving(path: string, file: string): Promise<void> {
  const holder = await lockedBy(file);
  if (!(await lives(holder))) return;
  throw new NodeError(
    'AlreadyRunning',
    `Another slipway (process ${holder?.split(' ')[0]}) holds ${path}. Wait until it is done, or stop it: systemctl stop slipway.`,
  );
}

async function lockedBy(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}
