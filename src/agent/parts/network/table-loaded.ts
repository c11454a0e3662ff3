import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { compare, type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { showUnit, systemctl } from '../../resources/unit.ts';
import { nft } from './nft-command.ts';
import { listTable, nftablesMissing, type OwnTable, quoted, tableFailed } from './own-table.ts';

export interface LoadedRules {
  /** The name of the wanted rules, which changes with each of them. */
  readonly name: string;
  /** Returns the name of the rules in the output of `nft list table`. */
  readonly listed: (list: string) => string | undefined;
  /** The effect of the loaded rules, for the condition. */
  readonly message: string;
  /** The milliseconds until the next check at the latest; by default the next pass checks. */
  readonly every?: number;
  /** Other values in the kernel that the unit sets. */
  readonly kernel?: {
    readonly wanted: Readonly<Record<string, string>>;
    readonly find: (host: HostReader) => Promise<Readonly<Record<string, string | undefined>>>;
  };
}

/**
 * Keeps these rules loaded in the kernel: starts or reloads the unit if the rules were flushed or changed.
 *
 * Throws `NftablesMissing` without nft, and the reason of the table with the output of nft if it rejected the rules.
 */
export function tableLoaded(table: OwnTable, rules: LoadedRules, needs: readonly string[]): Resource {
  return {
    id: `${table.id}/rules`,
    summary: `systemctl reload-or-restart ${table.unit}`,
    condition: table.condition,
    needs,
    check: (host) => checkLoaded(host, table, rules),
  };
}

async function checkLoaded(host: HostReader, table: OwnTable, rules: LoadedRules): Promise<Finding> {
  if ((await host.stat(nft)) === undefined) {
    throw nftablesMissing(table);
  }
  const { ActiveState, LoadState } = await showUnit(host, table.unit, ['ActiveState', 'LoadState']);
  // The unit file could not be written, as on a full disk.
  if (LoadState === 'not-found') {
    return waiting('Blocked', `waits for ${table.unit}`, { blocks: false });
  }
  const list = ActiveState === 'active' ? await listTable(host, table) : undefined;
  const loaded = list === undefined ? undefined : rules.listed(list);
  const { wanted = {}, find = async () => ({}) } = rules.kernel ?? {};
  const finding = compare(
    { rules: loaded, ...(await find(host)) },
    { rules: rules.name, ...wanted },
    (host) => loadTable(host, table),
  );
  return finding.state === 'InSync' ? loadedFinding(host, rules) : finding;
}

function loadedFinding(host: HostReader, { message, every }: LoadedRules): Finding {
  return inSync({ message, ...(every !== undefined && { until: host.now() + every }) });
}

/** Loads the rules: reloads a running unit, which replaces them in one step, or starts the unit. */
async function loadTable(host: Host, table: OwnTable): Promise<void> {
  try {
    await host.run(systemctl('reload-or-restart', table.unit));
  } catch (thrown) {
    if (!(thrown instanceof NodeError) || thrown.reason !== 'CommandFailed') {
      throw thrown;
    }
    const complaint = quoted(await nftComplaint(host, table));
    throw tableFailed(table, `nft did not take the rules, so ${table.otherwise}. ${complaint}`);
  }
}

/** Returns the output of nft from the last start of the unit. */
async function nftComplaint(host: HostReader, { unit }: OwnTable): Promise<string> {
  const { InvocationID } = await showUnit(host, unit, ['InvocationID']);
  const { stdout } = await host.query({
    file: 'journalctl',
    args: [`_SYSTEMD_INVOCATION_ID=${InvocationID}`, '-t', 'nft', '-o', 'cat', '-n', '4', '--no-pager'],
  });
  return stdout;
}
