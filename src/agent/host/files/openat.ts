import { constants, existsSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { basename, dirname, isAbsolute, relative } from 'node:path';
import { mostLinks, partsOf } from '../../engine/path-parts.ts';
import { errnoOf, systemError, unlessMissing } from './file-errors.ts';
import { isTrusted, trustedTarget } from './trusted-link.ts';

/**
 * The open(2) flag for a descriptor that refers to a file but cannot read or write it. Node does not define the flag,
 * whose value is the same on x86 and arm64.
 */
const O_PATH = 0o10000000;
const asDirectory = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export interface PlaceTerms {
  /** The directory that the path cannot leave: links on the way resolve as under chroot(2). `/` by default. */
  readonly root?: string;
  /** True to create missing directories with mode 0755; `private` to create them with mode 0700. */
  readonly make?: boolean | 'private';
  /** True to also follow a link at the path itself. */
  readonly follow?: boolean;
}

/** A path whose directory is held open, so that the path stays in that directory even if the directory is renamed. */
export interface Place extends AsyncDisposable {
  /** The directory and the path, as names below /proc/self/fd (proc_pid_fd(5)). */
  readonly folder: string;
  readonly path: string;
}

/**
 * Opens the directory of a path step by step, each directory through the descriptor of its parent.
 *
 * Follows a link on the way only if the link and its directory belong to root or to this user, and the directory is
 * sticky or not writable by every user. Otherwise throws `PermissionDenied`, because another user could point the link
 * anywhere at any moment. Also throws the system's errors.
 */
export async function openPlace(path: string, terms: PlaceTerms = {}): Promise<Place> {
  const { start, way } = await startOf(path, terms.root ?? '/');
  const opened = [start];
  try {
    const name = await walkTo(opened, way, path, terms);
    const folder = pathOf(lastOf(opened));
    return { folder, path: `${folder}/${name}`, [Symbol.asyncDispose]: () => closeAll(opened) };
  } catch (thrown) {
    await closeAll(opened);
    throw thrown;
  }
}

/** Opens the place of a path, runs `work` with it, and closes the place. */
export async function inPlace<Result>(
  path: string,
  terms: PlaceTerms,
  work: (place: Place) => Promise<Result>,
): Promise<Result> {
  await using place = await openPlace(path, terms);
  return await work(place);
}

/** Opens a directory inside a directory that is held open. Does not follow a link. */
export function openFolder(path: string): Promise<FileHandle> {
  return holdDirectory(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** Returns a path to an open directory by its descriptor; without /proc, the path with which it was opened. */
export function pathOf(folder: FileHandle): string {
  return names.get(folder) ?? `/proc/self/fd/${folder.fd}`;
}

/** The paths of open directories in a chroot without /proc; processes of other users cannot replace them there. */
const names = new WeakMap<FileHandle, string>();

async function holdDirectory(path: string, flags: number): Promise<FileHandle> {
  const folder = await open(path, flags);
  if (!existsSync('/proc/self/fd')) {
    names.set(folder, path);
  }
  return folder;
}

/**
 * Opens the directory where the walk starts, and returns it with the names to walk. A path through a descriptor starts
 * at that descriptor, which an earlier walk has opened.
 */
async function startOf(path: string, root: string) {
  const held = /^\/proc\/self\/fd\/\d+$/.test(dirname(path));
  const below = relative(root, path);
  const [from, way] = held
    ? [dirname(path), basename(path)]
    : below === '..' || below.startsWith('../') || below === ''
      ? ['/', path]
      : [root, below];
  return { start: await holdDirectory(`${from}/.`, O_PATH | constants.O_DIRECTORY), way: partsOf(way) };
}

/**
 * Opens the directories that `way` names, appends them to `opened`, and returns the last name. `..` does not leave the
 * first directory.
 */
async function walkTo(
  opened: FileHandle[],
  way: readonly string[],
  path: string,
  { follow = false, make = false }: PlaceTerms,
): Promise<string> {
  let rest = way;
  for (let links = 0; links <= mostLinks; ) {
    const [name = '.', ...others] = rest;
    const isLast = others.length === 0;
    if (name === '..') {
      if (opened.length > 1) {
        await opened.pop()?.close();
      }
      rest = others;
      continue;
    }
    if (isLast && !follow) {
      return name;
    }
    const folder = lastOf(opened);
    const at = `${pathOf(folder)}/${name}`;
    const stats = make && !isLast ? await statOrMake(folder, at, make) : await unlessMissing(lstat(at));
    if (stats?.isSymbolicLink()) {
      const target = await trustedTarget(folder, at, stats, path);
      links += 1;
      rest = [...partsOf(target), ...others];
      if (isAbsolute(target)) {
        await closeAll(opened.splice(1));
      }
    } else if (isLast) {
      return name;
    } else {
      opened.push(await holdDirectory(at, asDirectory));
      rest = others;
    }
  }
  throw systemError('ELOOP');
}

/** Returns the stats of a path. If nothing exists there, first creates a directory. */
async function statOrMake(
  folder: FileHandle,
  at: string,
  make: true | 'private',
): Promise<Stats | undefined> {
  const mode = make === 'private' ? 0o700 : 0o755;
  const found = await unlessMissing(lstat(at));
  if (found) {
    return found;
  }
  try {
    await mkdir(at, mode);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'EEXIST') {
      throw thrown;
    }
  }
  // Overrides the umask through the descriptor, but only if no other user can replace the directory.
  await using made = await openFolder(at);
  if (isTrusted(await folder.stat())) {
    await made.chmod(mode);
  }
  await using parent = await openFolder(`${pathOf(folder)}/.`);
  await parent.sync();
  return unlessMissing(lstat(at));
}

function lastOf(opened: readonly FileHandle[]): FileHandle {
  const last = opened.at(-1);
  if (last === undefined) {
    throw systemError('EBADF');
  }
  return last;
}

async function closeAll(handles: readonly FileHandle[]): Promise<void> {
  for (const handle of handles) {
    await handle.close();
  }
}
