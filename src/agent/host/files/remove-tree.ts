import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { errnoOf } from './file-errors.ts';
import { openFolder, pathOf } from './openat.ts';

/**
 * The maximum number of retries in one removal, so that the removal ends even if another process keeps filling the
 * tree.
 */
const mostRetries = 100;

/**
 * Removes a file, a link, or a directory with its contents; does nothing if the path does not exist. `path` is an entry
 * of a directory that is held open (openat.ts).
 *
 * Opens each directory without following a link, and empties it by its descriptor, so that nothing outside the tree is
 * removed even if the owner replaces a directory with a link meanwhile. Throws the system's errors.
 */
export function removeTree(path: string): Promise<void> {
  return removeEntry(path, { retries: mostRetries });
}

/**
 * The remaining retries of one removal. An entry that changes meanwhile costs a retry, for example a directory that
 * becomes a link.
 */
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

/** The error codes of system calls on an entry that has just changed, for example from a directory to a link. */
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
