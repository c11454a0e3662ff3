import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { errnoOf } from './file-errors.ts';
import { openFolder, pathOf } from './openat.ts';

/**
 * The most retries of one removal, so that a tree that is filled as fast as it is emptied does not keep it busy for
 * ever.
 */
const mostRetries = 100;

/**
 * Removes a file, a link, or a directory with its contents; a missing path is fine. `path` is an entry of a held
 * directory (openat.ts).
 *
 * Each directory is opened without following a link, and emptied by its descriptor, so that nothing outside the tree is
 * removed, even if its owner replaces directories by links meanwhile. Throws what the system throws.
 */
export function removeTree(path: string): Promise<void> {
  return removeEntry(path, { retries: mostRetries });
}

/** The retries left to one removal, for entries that change under it, such as a directory replaced by a link. */
interface Budget {
  retries: number;
}

async function removeEntry(path: string, budget: Budget): Promise<void> {
  for (;;) {
    try {
      return await removeOnce(path, budget);
    } catch (thrown) {
      const errno = errnoOf(thrown) ?? '';
      if (errno === 'ENOENT') {
        return;
      }
      if (!changing.includes(errno) || budget.retries === 0) {
        throw thrown;
      }
      budget.retries -= 1;
    }
  }
}

/** The system's errors for an entry that has changed its kind a moment ago. */
const changing = ['ENOTDIR', 'ELOOP', 'EISDIR', 'ENOTEMPTY', 'EEXIST'];

async function removeOnce(path: string, budget: Budget): Promise<void> {
  if (!(await lstat(path)).isDirectory()) {
    return unlink(path);
  }
  await emptyDirectory(path, budget);
  await rmdir(path);
}

async function emptyDirectory(path: string, budget: Budget): Promise<void> {
  await using folder = await openFolder(path);
  for (const name of await readdir(pathOf(folder))) {
    await removeEntry(`${pathOf(folder)}/${name}`, budget);
  }
}
