import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, step } from '../../engine/resource.ts';
import { showUnit, systemctl } from '../../resources/unit.ts';
import { isActive } from '../../resources/units-stopped.ts';
import { nft, nftCommand } from './nft-command.ts';
import { listTable, type OwnTable } from './own-table.ts';
import { enablingLink } from './table-unit.ts';

export interface TableRemoval {
  readonly summary: string;
  /** The file of the unit. */
  readonly unitFile: string;
  /** Every other file, in the order of their removal; the last one is the file with the rules. */
  readonly files: readonly string[];
  /** The reason why no table is wanted; the condition's message after the removal. */
  readonly why?: string | undefined;
}

/**
 * Removes the table with its unit and its files.
 *
 * The removal has several steps, each checked on the machine: first it disables and stops the unit, so that nothing
 * loads the rules again; then it deletes the table; last, it removes the files.
 */
export function tableRemoved(table: OwnTable, removal: TableRemoval): Resource {
  return {
    id: `${table.id}/none`,
    summary: removal.summary,
    condition: table.condition,
    check: (host) => checkRemoved(host, table, removal),
  };
}

async function checkRemoved(
  host: HostReader,
  table: OwnTable,
  { unitFile, files, why }: TableRemoval,
): Promise<Finding> {
  const hasUnit = (await host.stat(unitFile)) !== undefined;
  const link = enablingLink(unitFile);
  const isLinked = (await host.stat(link)) !== undefined;
  const others = await Promise.all(files.map((path) => host.stat(path)));
  if (!hasUnit && !isLinked && others.every((found) => found === undefined)) {
    return inSync(why === undefined ? {} : { message: why });
  }
  if (hasUnit && (await isInForce(host, table))) {
    return step({ field: table.unit, observed: 'enabled or active', desired: undefined }, async (host) => {
      await host.run(systemctl('disable', '--now', table.unit));
    });
  }
  if (await isLoaded(host, table)) {
    return step({ field: table.name.join(' '), observed: 'loaded', desired: undefined }, async (host) => {
      await host.run(nftCommand('delete', 'table', ...table.name));
    });
  }
  return step({ field: 'files', observed: 'present', desired: undefined }, async (host) => {
    // The link is left if the unit's file was lost: the step that disables the unit needs the file.
    for (const path of [...(isLinked ? [link] : []), unitFile, ...files]) {
      await host.remove(path);
    }
    await host.run(systemctl('daemon-reload'));
  });
}

async function isInForce(host: HostReader, { unit }: OwnTable): Promise<boolean> {
  const { ActiveState, UnitFileState } = await showUnit(host, unit, ['ActiveState', 'UnitFileState']);
  return isActive({ ActiveState }) || UnitFileState === 'enabled';
}

/** True if the table is loaded; false if nft, which lists the tables, is missing. */
async function isLoaded(host: HostReader, table: OwnTable): Promise<boolean> {
  return (await host.stat(nft)) !== undefined && (await listTable(host, table)) !== undefined;
}
