/** The exports of the network part, which guards the metadata service and runs NAT for private hosts. */

export { networkPart } from './part.ts';

// The Resources of a node.

export { imdsGuard } from './imds-guard.ts';
export { nat } from './nat/nat.ts';
export { natUnlessWanted } from './nat/nat-removed.ts';

// The removal of the guard and of NAT, and their units, tables and files, which an uninstall removes or lists.

export { guardTable } from './guard-table.ts';
export { guardUnitPath } from './guard-unit.ts';
export { imdsGuardRemoved } from './imds-guard-removed.ts';
export { natFiles, natUnitPath } from './nat/nat-files.ts';
export { natRemoved } from './nat/nat-removed.ts';
export { natTable } from './nat/nat-table.ts';
