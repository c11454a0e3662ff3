import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from './file-errors.ts';
import { lives, stampOf } from './living.ts';

/**
 * Replaces a file whole: after a crash at any moment it has the old content or the new, never a part.
 *
 * The new content grows beside it under a hidden name, with its final mode before its first byte whatever the umask
 * is, and takes the place by rename, so a link that stands there is replaced and not followed. Throws what the
 * system throws.
 */
export async function atomicWrite(path: string, content: string, mode: number): Promise<void> {
  await replaceWith(path, async (temporary) => {
    await using file = await open(temporary, 'wx', 0o600);
    await file.chmod(mode);
    await file.writeFile(content, 'utf8');
    await file.sync();
  });
}

/** Lets `make` build a file, link or folder under a hidden name, which then takes the place of `path`. */
export async function replaceWith(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  await makeDirectory(dirname(path));
  await removeLeftovers(path);
  const temporary = await temporaryName(path);
  try {
    await make(temporary);
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true, recursive: true });
    throw thrown;
  }
  await syncDirectory(dirname(path));
}

/** Makes a directory and those above it, 0755 whatever the umask is, durably; one that is there stays as it is. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await makeOneDirectory(path);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT') throw thrown;
    await makeDirectory(dirname(path));
    await makeOneDirectory(path);
  }
}

async function makeOneDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, 0o755);
  } catch (thrown) {
    if (errnoOf(thrown) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    throw thrown;
  }
  await chmod(path, 0o755);
  await syncDirectory(dirname(path));
}

/** Makes what was renamed or removed in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

/** Tells the drafts of this process apart from those that one of the same id left behind at an earlier boot. */
const token = randomBytes(4).toString('hex');
let made = 0;

/** A hidden name says whose draft it is, by the stamp of its process, so that a leftover is known. */
async function temporaryName(path: string): Promise<string> {
  const stamp = (await stampOf(process.pid))?.replace(' ', '.') ?? '';
  made += 1;
  return join(dirname(path), `${leftoverPrefix(path)}${stamp}-${token}-${made}`);
}

function leftoverPrefix(path: string): string {
  return `.${basename(path)}.slipway-tmp-`;
}

/** Removes what processes that live no longer left; the daemon and the credential provider write the same file. */
async function removeLeftovers(path: string): Promise<void> {
  const prefix = leftoverPrefix(path);
  const drafts = (await readdir(dirname(path))).filter((name) => name.startsWith(prefix));
  for (const name of drafts) {
    const [stamp = '', owner] = name.slice(prefix.length).split('-');
    if (owner === token || (await lives(stamp.replace('.', ' ')))) continue;
    await rm(join(dirname(path), name), { force: true, recursive: true });
  }
}
