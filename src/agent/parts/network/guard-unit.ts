import type { NodePaths } from '../../paths.ts';
import { guardTable } from './guard-table.ts';
import { renderTableUnit, tableUnitPath } from './table-unit.ts';

export function guardUnitPath(paths: NodePaths): string {
  return tableUnitPath(paths, guardTable);
}

/** Renders the unit that loads the guard's rules. */
export function renderGuardUnit({ slipway }: NodePaths): string {
  return renderTableUnit({
    description: 'Keep pods from the instance metadata service',
    rules: slipway.imdsGuard,
  });
}
