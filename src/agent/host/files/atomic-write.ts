import { randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive, processIdentity } from '../process/process-identity.ts';
import { readNames } from './bounded-read.ts';
import { inPlace, openFolder } from './openat.ts';
import { takeOver } from './ownership.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Replaces a file as a whole: after a crash at any moment it has the old content or the new, never a part.
 *
 * The new content is written beside it under a hidden name, with its final mode before its first byte whatever the
 * umask is, and renamed into place, so a link at the path is replaced and not followed. Throws what the system and
 * `openPlace` throw. Below `root` no link leads out of it.
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

/** Lets `make` build a file, link or folder under a hidden name, which then replaces `path`. */
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

/** Flushes renames and removals in a held directory, so that they survive a power cut. */
export async function syncDirectory(folder: string): Promise<void> {
  await using directory = await openFolder(`${folder}/.`);
  await directory.sync();
}

/** Tells the drafts of this process from those of an earlier boot's process with the same id. */
const token = randomBytes(4).toString('hex');
let made = 0;

/** Returns a hidden name with the stamp of its process, by which a leftover is recognized. */
async function temporaryName(path: string): Promise<string> {
  const stamp = (await processIdentity(process.pid))?.replace(' ', '.') ?? '';
  made += 1;
  return join(dirname(path), `${leftoverPrefix(path)}${stamp}-${token}-${made}`);
}

function leftoverPrefix(path: string): string {
  return `.${basename(path)}.slipway-tmp-`;
}

/** Removes the drafts of processes that have ended; the daemon and the credential provider write the same file. */
async function removeLeftovers(path: string, shown: string): Promise<void> {
  const prefix = leftoverPrefix(path);
  const drafts = (await readNames(dirname(path), dirname(shown))).filter((name) => name.startsWith(prefix));
  for (const name of drafts) {
    const [stamp = '', owner] = name.slice(prefix.length).split('-');
    if (owner === token || (await isAlive(stamp.replace('.', ' ')))) {
      continue;
    }
    await removeTree(join(dirname(path), name));
  }
}
