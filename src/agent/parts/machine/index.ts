/** The machine before K3s is installed: what other parts may use of it. */

export { machinePart } from './part.ts';

// The Resources of a node.

export { directoriesId } from './directories.ts';
export { type FreeSpace, preflight } from './preflight.ts';
export { system } from './system.ts';

// What other parts check: the way to what root runs.

export { safeWay } from './directories.ts';
