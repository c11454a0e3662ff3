import { randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive, processIdentity } from '../process/process-identity.ts';
import { readNames } from './bounded-read.ts';
import { inPlace, openFolder } from './openat.ts';
import { takeOver } from './ownership.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Replaces a file atomically: after a crash at any moment the file has either its old content or the new content.
 *
 * Creates missing directories. Writes to a hidden file beside `path`, sets the owner and mode of that file before its
 * first byte, regardless of the umask, and then renames it to `path`. Replaces a link at `path` instead of following
 * it. Links on the way cannot lead out of `root`. Throws the errors of the system and of `openPlace`.
 */
export async function atomicWrite(path: string, content: string, mode: number, root?: string): Promise<void> {
  const fill = async (temporary: string) => {
    await using file = await open(temporary, 'wx', 0o600);
    await takeOver(file);
    await file.chmod(mode);
    await file.writeFile(content, 'utf8');
    await file.sync();
  };
  await replaceWith(path, fill, root);
}

/**
 * Replaces `path` with the file, link or folder that `make` creates under a hidden name. Creates missing directories.
 * First removes drafts that ended processes left; after a failure, removes its own draft.
 */
export async function replaceWith(
  path: string,
  make: (temporary: string) => Promise<void>,
  root = '/',
): Promise<void> {
  await inPlace(path, { root, make: true }, async (place) => {
    await removeLeftovers(place.path, path);
    const temporary = await temporaryName(place.path);
    try {
      await make(temporary);
      await rename(temporary, place.path);
    } catch (thrown) {
      await removeTree(temporary);
      throw thrown;
    }
    await syncDirectory(place.folder);
  });
}

/** Flushes an open directory to the disk, so that renames and removals in it survive a power cut. */
export async function syncDirectory(folder: string): Promise<void> {
  await using directory = await openFolder(`${folder}/.`);
  await directory.sync();
}

/** A random string that distinguishes this process from one with the same id and start time in an earlier boot. */
const token = randomBytes(4).toString('hex');
let made = 0;

/**
 * Returns a hidden path beside `path`. The name contains the identity of this process, so that a later process can
 * recognize the file as a leftover.
 */
async function temporaryName(path: string): Promise<string> {
  const stamp = (await processIdentity(process.pid))?.replace(' ', '.') ?? '';
  made += 1;
  return join(dirname(path), `${leftoverPrefix(path)}${stamp}-${token}-${made}`);
}

function leftoverPrefix(path: string): string {
  return `.${basename(path)}.slipway-tmp-`;
}

/**
 * Removes the drafts of ended processes. Drafts of running processes stay, since the daemon and the credential provider
 * may write the same file at the same time.
 */
async function removeLeftovers(path: string, shown: string): Promise<void> {
  const prefix = leftoverPrefix(path);
  const drafts = readNames(dirname(path), dirname(shown)).filter((name) => name.startsWith(prefix));
  for (const name of drafts) {
    const [stamp = '', owner] = name.slice(prefix.length).split('-');
    if (owner === token || (await isAlive(stamp.replace('.', ' ')))) {
      continue;
    }
    await removeTree(join(dirname(path), name));
  }
}
