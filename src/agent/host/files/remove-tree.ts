import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { errnoOf } from './file-errors.ts';
import { openFolder, pathOf } from './openat.ts';

/** Retries of one removal in all, so that a tree that is filled as fast as it is emptied does not keep it busy for ever. */
const mostRetries = 100;

/**
 * Removes a file, a link, or a directory with all that is in it; nothing there is fine. `path` is an entry of a held
 * directory (openat.ts).
 *
 * Each directory is opened without following a link, and emptied by its descriptor, so that nothing outside the tree is
 * removed, however its owner exchanges directories for links meanwhile. Throws what the system throws.
 */
export function removeTree(path: string): Promise<void> {
  return removeEntry(path, { retries: mostRetries });
}

/** What one removal may still retry: entries that change under it, as a directory exchanged for a link does. */
interface Budget {
  retries: number;
}

async function removeEntry(path: string, budget: Budget): Promise<void> {
  for (;;) {
    try {
      return await removeOnce(path, budget);
    } catch (thrown) {
      const errno = errnoOf(thrown) ?? '';
      if (errno === 'ENOENT') return;
      if (!changing.includes(errno) || budget.retries === 0) throw thrown;
      budget.retries -= 1;
    }
  }
}

/** What the system answers when an entry is no longer what it was a moment ago. */
const changing = ['ENOTDIR', 'ELOOP', 'EISDIR', 'ENOTEMPTY', 'EEXIST'];

async function removeOnce(path: string, budget: Budget): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return unlink(path);
  await emptyDirectory(path, budget);
  await rmdir(path);
}

async function emptyDirectory(path: string, budget: Budget): Promise<void> {
  await using folder = await openFolder(path);
  for (const name of await readdir(pathOf(folder))) await removeEntry(`${pathOf(folder)}/${name}`, budget);
}
