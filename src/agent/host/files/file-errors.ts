import { NodeError, toNodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';

/**
 * Returns the NodeError for a failed file operation, with the path and the repair in its message. Its reason is
 * `DiskFull`, `ReadOnly`, `PermissionDenied`, or otherwise `FileSystemError`. Returns a NodeError unchanged, and an
 * `InternalError` for an error without errno. `action` is the verb in messages such as `Cannot write /etc/x`.
 */
export function fileError(thrown: unknown, action: string, path: string): NodeError {
  const errno = errnoOf(thrown);
  if (thrown instanceof NodeError || errno === undefined) {
    return toNodeError(thrown);
  }
  const said = (why: string) => `Cannot ${action} ${path}: ${why}`;
  switch (errno) {
    case 'ENOSPC':
      return new NodeError(
        'DiskFull',
        said('no room is left on its device (ENOSPC). Free some space there.'),
        {
          cause: thrown,
        },
      );
    case 'EDQUOT':
      return new NodeError(
        'DiskFull',
        said('the disk quota is used up (EDQUOT). Raise it or free some space.'),
        {
          cause: thrown,
        },
      );
    case 'EROFS':
      return new NodeError(
        'ReadOnly',
        said(
          'it is read-only here (EROFS). Remount its file system, or add it to ReadWritePaths of slipway.service.',
        ),
        { ...forPerson, cause: thrown },
      );
    case 'EACCES':
    case 'EPERM':
      return new NodeError(
        'PermissionDenied',
        said(`the system refuses access (${errno}). Run as root, or give --root a folder of your own.`),
        { ...forPerson, cause: thrown },
      );
    default:
      return new NodeError('FileSystemError', said(`${meaningOf(errno)}. Check what is at that path.`), {
        cause: thrown,
      });
  }
}

const meanings: Readonly<Record<string, string>> = {
  ENOENT: 'a directory on the way is not there, or /proc is not mounted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a file is in the place of a directory',
  EEXIST: 'something else is there',
  ELOOP: 'links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the device does not answer as it should',
};

function meaningOf(errno: string): string {
  const meaning = meanings[errno];
  return meaning === undefined ? errno : `${meaning} (${errno})`;
}

/** Resolves to the result of `found`, or to `undefined` if the promise rejects with ENOENT. */
export async function unlessMissing<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') {
      return undefined;
    }
    throw thrown;
  }
}

/** Returns the code of an error, such as the symbolic errno of a failed system call; `undefined` if it has no code. */
export function errnoOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) {
    return undefined;
  }
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Makes an error with this errno, like that of a failed system call. */
export function systemError(errno: string): Error {
  return Object.assign(new Error(errno), { code: errno });
}
