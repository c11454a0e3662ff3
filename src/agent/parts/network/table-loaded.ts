import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { compare, type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { showUnit, systemctl } from '../../resources/unit.ts';
import { nft } from './nft-command.ts';
import { listTable, nftablesMissing, type OwnTable, quoted, tableFailed } from './own-table.ts';

export interface LoadedRules {
  /** The name of the wanted rules; different rules have different names. */
  readonly name: string;
  /** Returns the name of the rules in the output of `nft list table`, to compare with `name`. */
  readonly listed: (list: string) => string | undefined;
  /** The condition's message while the rules are loaded. */
  readonly message: string;
  /** The longest time until the next check, in milliseconds; absent to wait for the next pass. */
  readonly every?: number;
  /** Kernel settings that the unit applies besides the rules. */
  readonly kernel?: {
    readonly wanted: Readonly<Record<string, string>>;
    readonly find: (host: HostReader) => Promise<Readonly<Record<string, string | undefined>>>;
  };
}

/**
 * Keeps these rules loaded and the `kernel` settings applied: starts or reloads the unit if it is inactive, the rules
 * were flushed or changed, or a setting differs. Waits while the unit's file is missing.
 *
 * Throws `NftablesMissing` if nft is missing. If nft cannot list the rules or rejects them, throws the table's reason
 * with nft's output.
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
  // The file of the unit could not be written, for example because the disk is full.
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

/**
 * Loads the rules: reloads an active unit, which replaces the rules in one step, or starts an inactive one. If that
 * command fails, throws the table's reason with nft's output, or with systemctl's if nft did not run.
 */
async function loadTable(host: Host, table: OwnTable): Promise<void> {
  const before = await showUnit(host, table.unit, ['ActiveState', 'InvocationID']);
  try {
    await host.run(systemctl('reload-or-restart', table.unit));
  } catch (thrown) {
    if (!(thrown instanceof NodeError) || thrown.reason !== 'CommandFailed') {
      throw thrown;
    }
    const { InvocationID: invocation } = await showUnit(host, table.unit, ['InvocationID']);
    // A reload keeps the invocation. A start without a new one ran nothing, such as that of a unit systemd cannot read.
    throw before.ActiveState !== 'active' && before.InvocationID === invocation
      ? tableFailed(table, `${table.unit} did not start, so ${table.otherwise}. ${thrown.message}`)
      : tableFailed(
          table,
          `nft did not take the rules, so ${table.otherwise}. ${quoted(await nftComplaint(host, invocation))}`,
        );
  }
}

/** Returns nft's last four journal lines of one start of the unit. */
async function nftComplaint(host: HostReader, invocation: string): Promise<string> {
  const { stdout } = await host.query({
    file: 'journalctl',
    args: [`_SYSTEMD_INVOCATION_ID=${invocation}`, '-t', 'nft', '-o', 'cat', '-n', '4', '--no-pager'],
  });
  return stdout;
}
