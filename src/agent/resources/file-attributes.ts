import type { FoundFile, Owned } from '../engine/host.ts';

/** Returns the owner of a file as text for people: `own` for this process, or the `uid:gid` of another owner. */
export function owner({ foreignOwner }: Owned): string {
  return foreignOwner ?? 'own';
}

/** Returns permission bits in octal, such as `0600`. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/**
 * True if no other user can write the file: this process owns it, and group and others have no write permission.
 * Ignores the read permissions.
 */
export function isOwnWriting({ mode, foreignOwner }: FoundFile): boolean {
  return (mode & 0o022) === 0 && foreignOwner === undefined;
}

/** True if no other user can read or write the file: its mode is 0600, and this process owns it. */
export function isPrivate({ mode, foreignOwner }: FoundFile): boolean {
  return mode === 0o600 && foreignOwner === undefined;
}
