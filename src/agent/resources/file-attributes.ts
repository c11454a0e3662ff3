import type { Owned } from '../engine/host.ts';

/** Returns the owner of a file, as people read it: `own`, or the `uid:gid` of another owner. */
export function owner({ foreignOwner }: Owned): string {
  return foreignOwner ?? 'own';
}

/** Returns permission bits as people write them: `0600`. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
