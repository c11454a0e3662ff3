import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { Owned } from '../../engine/host.ts';

/** Returns the user or group of a file that differs from that of this process; empty for a file that it made itself. */
export function ownership({ uid, gid }: Pick<Stats, 'uid' | 'gid'>): Owned {
  const [ownUser, ownGroup] = [uid === process.geteuid?.(), gid === process.getegid?.()];
  return {
    ...(!(ownUser && ownGroup) && { foreignOwner: `${uid}:${gid}` }),
    ...(!ownUser && uid !== 0 && { foreignUser: uid }),
    ...(!ownGroup && gid !== 0 && { foreignGroup: gid }),
  };
}

/** Returns the user and the group of this process as `uid:gid`, as chown(1) takes them. */
export function ownOwner(): string {
  return `${process.geteuid?.() ?? 0}:${process.getegid?.() ?? 0}`;
}

/**
 * Gives an open file to this process, for instance after it was made in a directory that passes on its group (2775).
 * Skips a file that belongs to it: the system may refuse the call even if it changes nothing.
 */
export async function takeOver(file: FileHandle): Promise<void> {
  if (ownership(await file.stat()).foreignOwner === undefined) {
    return;
  }
  await file.chown(process.geteuid?.() ?? 0, process.getegid?.() ?? 0);
}
