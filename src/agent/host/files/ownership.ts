import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Owned } from '../../engine/host.ts';

/**
 * Returns how the owner of a file differs from the user and group of this process; an empty object if both are the
 * same. Root is not a `foreignUser` or `foreignGroup`.
 */
export function ownership({ uid, gid }: Pick<Stats, 'uid' | 'gid'>): Owned {
  const [ownUser, ownGroup] = [uid === process.geteuid?.(), gid === process.getegid?.()];
  return {
    ...(!(ownUser && ownGroup) && { foreignOwner: `${uid}:${gid}` }),
    ...(!ownUser && uid !== 0 && { foreignUser: uid }),
    ...(!ownGroup && gid !== 0 && { foreignGroup: gid }),
  };
}

/** Returns the user and the group of this process as `uid:gid`, the form that chown(1) takes. */
export function ownOwner(): string {
  return `${process.geteuid?.() ?? 0}:${process.getegid?.() ?? 0}`;
}

/**
 * Changes the owner of an open file to the user and group of this process, for instance if a setgid directory (2775)
 * passed on its group. Skips a file that already has this owner: the system may refuse even a call without effect.
 */
export async function takeOver(file: FileHandle): Promise<void> {
  if (ownership(await file.stat()).foreignOwner === undefined) {
    return;
  }
  await file.chown(process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
}
