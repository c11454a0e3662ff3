/** The guard of the metadata service: what other parts may use of it. */

export { networkPart } from './part.ts';

// The Resources of a node.

export { imdsGuard } from './imds-guard.ts';

// Its removal, and its name if it stays.

export { guardUnit, guardUnitPath } from './guard-unit.ts';
export { imdsGuardRemoved } from './imds-guard-removed.ts';
export { guardTable } from './nft-command.ts';
