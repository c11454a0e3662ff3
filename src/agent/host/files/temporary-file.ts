import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { errnoOf, unlessMissing } from './file-errors.ts';
import { ownership } from './ownership.ts';
import { removeTree } from './remove-tree.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants;

/**
 * Removes an entry at the path of a draft if it is not one of Slipway's drafts: a link, a pipe, a device, a directory,
 * or a file that has a second hard link or an owner other than root and this user. A write to such an entry could reach
 * another file.
 */
export async function clearDraft(path: string): Promise<void> {
  const found = await unlessMissing(lstat(path));
  if (found === undefined) {
    return;
  }
  const isDraft = found.isFile() && found.nlink === 1 && ownership(found).foreignUser === undefined;
  if (!isDraft) {
    await removeTree(path);
  }
}

/**
 * Opens a draft to overwrite it or to append to it, and creates a missing draft with mode 0600. Does not follow a link,
 * and does not wait for the reader of a pipe.
 */
export async function openDraft(path: string, how: 'anew' | 'append'): Promise<FileHandle> {
  return open(
    path,
    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | (how === 'anew' ? O_TRUNC : O_APPEND),
    0o600,
  );
}

/**
 * Opens a regular file for reading; returns `undefined` if the path does not exist or is not a regular file. Does not
 * follow a link.
 */
export async function openRegular(path: string): Promise<FileHandle | undefined> {
  try {
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if ((await file.stat()).isFile()) {
      return file;
    }
    await file.close();
  } catch (thrown) {
    if (!['ENOENT', 'ELOOP', 'ENXIO'].includes(errnoOf(thrown) ?? '')) {
      throw thrown;
    }
  }
  return undefined;
}
