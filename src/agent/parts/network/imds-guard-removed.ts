import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, step } from '../../engine/resource.ts';
import type { NodePaths } from '../../paths.ts';
import { showUnit, systemctl } from '../../resources/unit.ts';
import { isActive } from '../../resources/units-stopped.ts';
import { guardUnit, guardUnitPath } from './guard-unit.ts';
import { guardTable, nft, nftCommand } from './nft-command.ts';
import { listTable } from './nft-list.ts';

/**
 * Removes the guard, so that pods may reach the metadata service. The message `why` explains the reason.
 *
 * The removal has several steps, each checked on the machine: it disables and stops the unit, so that nothing loads the
 * rules again, deletes our table, and removes the files last.
 */
export function imdsGuardRemoved(paths: NodePaths, why?: string): Resource {
  return {
    id: 'ImdsGuard/none',
    summary: 'take the guard of the metadata service down',
    condition: 'ImdsGuard',
    check: (host) => checkRemoved(host, paths, why),
  };
}

async function checkRemoved(host: HostReader, paths: NodePaths, why: string | undefined): Promise<Finding> {
  const unitFile = guardUnitPath(paths);
  const rules = paths.slipway.imdsGuard;
  const hasUnit = (await host.stat(unitFile)) !== undefined;
  if (!hasUnit && (await host.stat(rules)) === undefined) {
    return inSync(why === undefined ? {} : { message: why });
  }
  if (hasUnit && (await isInForce(host))) {
    return step({ field: guardUnit, observed: 'enabled or active', desired: undefined }, async (host) => {
      await host.run(systemctl('disable', '--now', guardUnit));
    });
  }
  if (await isLoaded(host)) {
    return step({ field: guardTable.join(' '), observed: 'loaded', desired: undefined }, async (host) => {
      await host.run(nftCommand('delete', 'table', ...guardTable));
    });
  }
  return step({ field: 'files', observed: 'present', desired: undefined }, async (host) => {
    await host.remove(unitFile);
    await host.remove(rules);
    await host.run(systemctl('daemon-reload'));
  });
}

async function isInForce(host: HostReader): Promise<boolean> {
  const { ActiveState, UnitFileState } = await showUnit(host, guardUnit, ['ActiveState', 'UnitFileState']);
  return isActive({ ActiveState }) || UnitFileState === 'enabled';
}

/** True if our table is loaded. Without nft no table can be loaded. */
async function isLoaded(host: HostReader): Promise<boolean> {
  return (await host.stat(nft)) !== undefined && (await listTable(host)) !== undefined;
}
