import type { Owned } from '../engine/host.ts';

/** Whose a file is, as people read it: `own`, or the `uid:gid` of another owner. */
export function owner({ foreignOwner }: Owned): string {
  return foreignOwner ?? 'own';
}

/** Permission bits as people write them: `0600`. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
