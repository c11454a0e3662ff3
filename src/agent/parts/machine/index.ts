/** The exports of the machine part, which checks the machine and sets up its kernel for K3s. */

export { machinePart } from './part.ts';

// The Resources of a node.

export { directoriesId } from './directories.ts';
export { type FreeSpace, preflight } from './preflight.ts';
export { system } from './system.ts';

// The check of the paths to files that root runs or trusts, which other parts use.

export { safeWay } from './directories.ts';
