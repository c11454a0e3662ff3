import type { HostReader } from '../../engine/host.ts';
import type { NodePaths } from '../../paths.ts';
import { showUnit } from '../../resources/unit.ts';
import { guardTable } from './guard-table.ts';
import { enablingLink, renderTableUnit, tableUnitPath } from './table-unit.ts';

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

/**
 * True if the guard was set up on this node, even if its rules file and unit were lost: then the link that enables the
 * unit still exists, or systemd still reports the unit as active.
 */
export async function hasGuard(host: HostReader, paths: NodePaths): Promise<boolean> {
  const unitFile = guardUnitPath(paths);
  const signs = [paths.slipway.imdsGuard, unitFile, enablingLink(unitFile)];
  const found = await Promise.all(signs.map((path) => host.stat(path)));
  if (found.some((each) => each !== undefined)) {
    return true;
  }
  const { ActiveState } = await showUnit(host, guardTable.unit, ['ActiveState']);
  return ActiveState === 'active';
}
