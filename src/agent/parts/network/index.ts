/** Exports of the network part, which guards the metadata service. */

export { networkPart } from './part.ts';

// Resources of a node.

export { imdsGuard } from './imds-guard.ts';

// The removal of the guard, and the name of its unit if the guard stays.

export { guardUnit, guardUnitPath } from './guard-unit.ts';
export { imdsGuardRemoved } from './imds-guard-removed.ts';
export { guardTable } from './nft-command.ts';
