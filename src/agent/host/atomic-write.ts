import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from './file-errors.ts';

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
  const temporary = temporaryName(path);
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

/** Hidden names of this process carry its token, so a leftover is known by another one. */
const token = randomBytes(4).toString('hex');
let made = 0;

function temporaryName(path: string): string {
  made += 1;
  return join(dirname(path), `${leftoverPrefix(path)}${token}-${made}`);
}

function leftoverPrefix(path: string): string {
  return `.${basename(path)}.slipway-tmp-`;
}

async function removeLeftovers(path: string): Promise<void> {
  const names = await readdir(dirname(path));
  const leftovers = names.filter(
    (name) => name.startsWith(leftoverPrefix(path)) && !name.startsWith(leftoverPrefix(path) + token),
  );
  for (const name of leftovers) await rm(join(dirname(path), name), { force: true, recursive: true });
}
