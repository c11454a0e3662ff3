/** What the machine is and has before K3s is there: what others may use of it. */

export { machinePart } from './part.ts';

// What a node has of it.

export { directoriesId } from './directories.ts';
export { type FreeSpace, preflight } from './preflight.ts';
export { system } from './system.ts';

// What others look at: the way to what root runs.

export { safeWay } from './directories.ts';
