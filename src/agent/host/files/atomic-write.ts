import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import { isAlive, processIdentity } from '../process/process-identity.ts';
import { readNames } from './bounded-read.ts';
import { errnoOf, unlessMissing } from './file-errors.ts';
import { inPlace, openFolder, type Place } from './openat.ts';
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
  await inPlace(path, { root, make: true }, (place) =>
    withDraft(place, path, async (draft) => {
      await make(draft);
      await rename(draft, place.path);
    }),
  );
}

/**
 * Creates the file that `make` writes under a hidden name, but returns false and changes nothing if anything is at
 * `path`, even if another process has just created it. Creates missing directories with mode 0700. Throws
 * `FileSystemError` if the file system has no hard links, which alone give a file its name without replacing another.
 */
export async function createPrivate(
  path: string,
  make: (temporary: string) => Promise<void>,
  root = '/',
): Promise<boolean> {
  return await inPlace(path, { root, make: 'private' }, async (place) => {
    if ((await unlessMissing(lstat(place.path))) !== undefined) {
      return false;
    }
    return await withDraft(place, path, async (draft) => {
      await make(draft);
      const isNew = await linked(draft, place.path, path);
      await unlink(draft);
      return isNew;
    });
  });
}

/** Gives a draft its name; false if the name is taken. */
async function linked(draft: string, at: string, path: string): Promise<boolean> {
  try {
    await link(draft, at);
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === 'EEXIST') {
      return false;
    }
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errnoOf(thrown) ?? '')) {
      throw withoutLinks(path, thrown);
    }
    throw thrown;
  }
}

function withoutLinks(path: string, cause: unknown): NodeError {
  return new NodeError(
    'FileSystemError',
    `Cannot create ${path}: its file system has no hard links (${errnoOf(cause)}), so two machines could both create the file. Use a file system with hard links, such as ext4, XFS or NFS.`,
    { ...forPerson, cause },
  );
}

/**
 * Runs `work` with a hidden name beside `path`, and returns its result. First removes drafts that ended processes left,
 * and syncs the directory afterwards. Removes the draft after a failure.
 */
async function withDraft<Result>(
  place: Place,
  path: string,
  work: (draft: string) => Promise<Result>,
): Promise<Result> {
  await removeLeftovers(place.path, path);
  const draft = await temporaryName(place.path);
  let result: Result;
  try {
    result = await work(draft);
  } catch (thrown) {
    await removeTree(draft);
    throw thrown;
  }
  await syncDirectory(place.folder);
  return result;
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
