import type { Resource } from '../../../engine/resource.ts';
import type { NodePaths } from '../../../paths.ts';
import { nonBlocking, unless } from '../../../resources/combinators.ts';
import { tableRemoved } from '../table-removed.ts';
import { keptWithoutNat, type NatSettings, natKept } from './kept-ranges.ts';
import { natFiles, natUnitPath } from './nat-files.ts';
import { natTable } from './nat-table.ts';

/**
 * Removes NAT's unit, table and files. Does not turn forwarding off in the running kernel. The hosts that used NAT then
 * need another route out.
 */
export function natRemoved(paths: NodePaths): Resource {
  const removed = tableRemoved(natTable, {
    summary: 'take NAT for private hosts down',
    unitFile: natUnitPath(paths),
    files: natFiles(paths),
  });
  // With the condition Nat, the status of every node without NAT would have one more line.
  return { ...removed, condition: 'System' };
}

/**
 * Removes NAT once consent.natRemoval names each range that has NAT; throws `NatKept` until then. Returns no Resource
 * if network.nat.from names a range or the root is not `/`.
 */
export function natUnlessWanted(settings: NatSettings, paths: NodePaths): readonly Resource[] {
  if (settings.network.nat.from.length > 0 || paths.root !== '/') {
    return [];
  }
  const removed = unless(natRemoved(paths), async (host) => {
    const kept = await keptWithoutNat(host, settings, paths);
    if (kept.length > 0) {
      throw natKept(settings, kept);
    }
    return undefined;
  });
  return [nonBlocking(removed)];
}
