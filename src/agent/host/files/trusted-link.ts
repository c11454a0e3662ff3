import type { Stats } from 'node:fs';
import { type FileHandle, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';

/**
 * Returns the target of a link on the way to `path`. Throws `PermissionDenied` if another user could change the link.
 */
export async function trustedTarget(
  folder: FileHandle,
  at: string,
  link: Stats,
  path: string,
): Promise<string> {
  if (isTrusted(await folder.stat()) && isOwn(link)) {
    return readlink(at);
  }
  throw new NodeError(
    'PermissionDenied',
    `${path} leads through the link ${basename(at)}, which belongs to another user (uid ${link.uid}) or is in a directory that ` +
      'others may write to, so it may lead anywhere. Remove the link, or give it and its directory to root: chown -h root:root.',
    forPerson,
  );
}

/** True if only root, this user and the directory's group can replace entries that root or this user owns. */
export function isTrusted(directory: Stats): boolean {
  const [othersMayWrite, sticky] = [0o002, 0o1000];
  return isOwn(directory) && (!(directory.mode & othersMayWrite) || Boolean(directory.mode & sticky));
}

function isOwn({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.();
}
