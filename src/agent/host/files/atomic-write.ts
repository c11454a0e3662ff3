import { randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive, processIdentity } from '../process/process-identity.ts';
import { readNames } from './bounded-read.ts';
import { inPlace, openFolder } from './openat.ts';
import { takeOver } from './ownership.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Replaces a file whole: after a crash at any moment it has the old content or the new, never a part.
 *
 * The new content grows beside it under a hidden name, with its final mode before its first byte whatever the umask
 * is, and takes the place by rename, so a link that stands there is replaced and not followed. Throws what the
 * system throws, and what `openPlace` does. Below `root` no link leads out of it.
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

/** Lets `make` build a file, link or folder under a hidden name, which then takes the place of `path`. */
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

/** Makes what was renamed or removed in a held directory survive a power cut. */
export async function syncDirectory(folder: string): Promise<void> {
  await using directory = await openFolder(`${folder}/.`);
  await directory.sync();
}

/** Tells the drafts of this process apart from those that one of the same id left behind at an earlier boot. */
const token = randomBytes(4).toString('hex');
let made = 0;

/** A hidden name says whose draft it is, by the stamp of its process, so that a leftover is known. */
async function temporaryName(path: string): Promise<string> {
  const stamp = (await processIdentity(process.pid))?.replace(' ', '.') ?? '';
  made += 1;
  return join(dirname(path), `${leftoverPrefix(path)}${stamp}-${token}-${made}`);
}

function leftoverPrefix(path: string): string {
  return `.${basename(path)}.slipway-tmp-`;
}

/** Removes what processes that live no longer left; the daemon and the credential provider write the same file. */
async function removeLeftovers(path: string, shown: string): Promise<void> {
  const prefix = leftoverPrefix(path);
  const drafts = (await readNames(dirname(path), dirname(shown))).filter((name) => name.startsWith(prefix));
  for (const name of drafts) {
    const [stamp = '', owner] = name.slice(prefix.length).split('-');
    if (owner === token || (await isAlive(stamp.replace('.', ' ')))) continue;
    await removeTree(join(dirname(path), name));
  }
}
