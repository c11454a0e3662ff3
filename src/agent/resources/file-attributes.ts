import type { FoundFile, Owned } from '../engine/host.ts';

/** Returns the owner of a file, as people read it: `own`, or the `uid:gid` of another owner. */
export function owner({ foreignOwner }: Owned): string {
  return foreignOwner ?? 'own';
}

/** Returns permission bits as people write them: `0600`. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** Whether no other user can write the file, though others may read it: own, and no write bit of group or others. */
export function isOwnWriting({ mode, foreignOwner }: FoundFile): boolean {
  return (mode & 0o022) === 0 && foreignOwner === undefined;
}

/** Whether no other user can read or write the file: mode 0600, and own. */
export function isPrivate({ mode, foreignOwner }: FoundFile): boolean {
  return mode === 0o600 && foreignOwner === undefined;
}
