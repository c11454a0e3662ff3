/** Exports of the machine part, which checks the machine before K3s is installed. */

export { machinePart } from './part.ts';

// Resources of a node.

export { directoriesId } from './directories.ts';
export { type FreeSpace, preflight } from './preflight.ts';
export { system } from './system.ts';

// The check of the path to what root runs, for other parts.

export { safeWay } from './directories.ts';
