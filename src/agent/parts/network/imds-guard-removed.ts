import type { Resource } from '../../engine/resource.ts';
import type { NodePaths } from '../../paths.ts';
import { guardTable } from './guard-table.ts';
import { guardUnitPath } from './guard-unit.ts';
import { tableRemoved } from './table-removed.ts';

/**
 * Removes the guard's unit, table and rules file, after which pods may reach the metadata service. Then the condition
 * shows `why` as its message.
 */
export function imdsGuardRemoved(paths: NodePaths, why?: string): Resource {
  return tableRemoved(guardTable, {
    summary: 'take the guard of the metadata service down',
    unitFile: guardUnitPath(paths),
    files: [paths.slipway.imdsGuard],
    why,
  });
}
