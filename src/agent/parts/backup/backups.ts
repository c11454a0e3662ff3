import type { Resource } from '../../engine/resource.ts';
import { type K3sNode, mayActForCluster } from '../../node.ts';
import { upkeep } from '../../resources/combinators.ts';
import { backupMade } from './made.ts';
import type { BackupPorts } from './ports.ts';

/**
 * Returns the Resource that makes backups, on the server that acts for its cluster and if the settings name a store. It
 * waits for `needs`, the start of K3s.
 */
export function backups(
  node: K3sNode,
  ports: BackupPorts | undefined,
  needs: readonly string[],
): readonly Resource[] {
  const { to } = node.settings.backup;
  return to === undefined || ports === undefined || !mayActForCluster(node)
    ? []
    : [upkeep(backupMade(node, to, ports, needs))];
}
