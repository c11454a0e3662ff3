import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NodeError } from '../core/errors.ts';
import { makeDirectory } from './atomic-write.ts';
import { errnoOf, fileError } from './file-errors.ts';

/**
 * Takes the lock of this machine, so that one Slipway writes at a time; resolves with its release.
 *
 * The lock names its holder by process id and start time, so one that a killed process or an earlier boot left behind
 * holds nobody up. `AlreadyRunning` names the living holder.
 */
export async function acquireLock(path: string): Promise<() => Promise<void>> {
  const own = await holderOf(process.pid);
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
  const holder = await lockedBy(path);
  const pid = Number.parseInt(holder ?? '', 10);
  return pid > 0 && (await holderOf(pid)) === holder;
}

/** A process as `pid start-time`, ticks since boot; undefined where it does not live. */
async function holderOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc_pid_stat(5): the fields after the name in parentheses begin with the third; the start time is the 22nd.
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${pid} ${startTime}`;
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(thrown) ?? '')) return undefined;
    throw thrown;
  }
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
  const pid = Number.parseInt(holder ?? '', 10);
  if (!(pid > 0) || (await holderOf(pid)) !== holder) return;
  throw new NodeError(
    'AlreadyRunning',
    `Another slipway (process ${pid}) holds ${path}. Wait until it is done, or stop it: systemctl stop slipway.`,
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
