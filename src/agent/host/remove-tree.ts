import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { errnoOf } from './file-errors.ts';
import { openFolder, pathOf } from './place.ts';

/** How often an entry is tried again that changes under the removal: a directory exchanged for a link, a new file in it. */
const attempts = 20;

/**
 * Removes a file, a link, or a directory with all that is in it; nothing there is fine. `path` is an entry of a held
 * directory (place.ts).
 *
 * Each directory is opened without following a link, and emptied by its descriptor, so that nothing outside the tree is
 * removed, however its owner exchanges directories for links meanwhile. Throws what the system throws.
 */
export async function removeTree(path: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await removeOnce(path);
    } catch (thrown) {
      const errno = errnoOf(thrown) ?? '';
      if (errno === 'ENOENT') return;
      if (!changing.includes(errno) || attempt === attempts) throw thrown;
    }
  }
}

/** What the system answers when an entry is no longer what it was a moment ago. */
const changing = ['ENOTDIR', 'ELOOP', 'EISDIR', 'ENOTEMPTY', 'EEXIST'];

async function removeOnce(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return unlink(path);
  await empty(path);
  await rmdir(path);
}

async function empty(path: string): Promise<void> {
  await using folder = await openFolder(path);
  for (const name of await readdir(pathOf(folder))) await removeTree(`${pathOf(folder)}/${name}`);
}
