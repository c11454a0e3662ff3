import { readFile } from 'node:fs/promises';
import { errnoOf } from '../files/file-errors.ts';

/**
 * Returns `pid start-time` (ticks since boot), which stays unique when the kernel reuses the pid; `undefined` if the
 * process is not running or /proc is not mounted.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // proc_pid_stat(5): the fields after the name in parentheses begin with the third; the start time is the 22nd.
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${pid} ${startTime}`;
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(thrown) ?? '')) {
      return undefined;
    }
    throw thrown;
  }
}

/** True if the process with this identity is running; false for an invalid identity, or if /proc is not mounted. */
export async function isAlive(identity: string | undefined): Promise<boolean> {
  const pid = Number.parseInt(identity ?? '', 10);
  return pid > 0 && (await processIdentity(pid)) === identity;
}
