import { NodeError } from '../core/errors.ts';
import type { Host, HostReader } from '../core/host.ts';
import { compare, type Finding, inSync, type Resource, waiting } from '../core/resource.ts';
import { showUnit, systemctl } from '../resources/unit.ts';
import { nft, nftCommand, table } from './nft.ts';
import { type GuardRules, listedRules, rulesName } from './ruleset.ts';
import { guardUnit } from './unit.ts';

/**
 * The kernel has these rules: whoever flushed them or changed them, the unit is started or reloaded.
 *
 * `NftablesMissing` where there is no nft, `ImdsGuardFailed` with nft's words where it did not take the rules.
 */
export function rulesLoaded(rules: GuardRules, needs: readonly string[]): Resource {
  return {
    id: 'ImdsGuard/rules',
    summary: `systemctl reload-or-restart ${guardUnit}`,
    condition: 'ImdsGuard',
    needs,
    check: (host) => check(host, rules),
  };
}

async function check(host: HostReader, rules: GuardRules): Promise<Finding> {
  if ((await host.stat(nft)) === undefined) throw nftablesMissing();
  const { ActiveState, LoadState } = await showUnit(host, guardUnit, ['ActiveState', 'LoadState']);
  // Whose file could not be written, as on a full disk.
  if (LoadState === 'not-found') return waiting('Blocked', `waits for ${guardUnit}`, { blocks: false });
  const loaded = ActiveState === 'active' ? await lookAtTable(host) : undefined;
  const finding = compare({ rules: loaded }, { rules: rulesName(rules) }, load);
  return finding.state === 'InSync' ? inSync({ message: told(rules) }) : finding;
}

function nftablesMissing(): NodeError {
  return new NodeError(
    'NftablesMissing',
    `There is no ${nft}, so pods can ask the metadata service for the identity of this VM. Install it ` +
      '(apt-get install nftables), or set imds.pods to allow.',
    { retry: { pace: 'slow' } },
  );
}

async function lookAtTable(host: HostReader): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await host.query(nftCommand('list', 'table', ...table));
  if (exitCode === 0) return listedRules(stdout);
  // What nft says of a table that is not there.
  if (/^Error: No such file or directory/m.test(stderr)) return undefined;
  throw failed(`It is not known whether the rules are loaded. ${quoted(stderr)}`);
}

/** A reload replaces the rules with no moment between; a unit that does not run is started. */
async function load(host: Host): Promise<void> {
  try {
    await host.run(systemctl('reload-or-restart', guardUnit));
  } catch (thrown) {
    if (!(thrown instanceof NodeError) || thrown.reason !== 'CommandFailed') throw thrown;
    throw failed(`nft did not take the rules. ${quoted(await complaint(host))}`);
  }
}

/** What nft wrote when the unit was started last. */
async function complaint(host: HostReader): Promise<string> {
  const { InvocationID } = await showUnit(host, guardUnit, ['InvocationID']);
  const { stdout } = await host.query({
    file: 'journalctl',
    args: [`_SYSTEMD_INVOCATION_ID=${InvocationID}`, '-t', 'nft', '-o', 'cat', '-n', '4', '--no-pager'],
  });
  return stdout;
}

function quoted(words: string): string {
  const said = words.trim().slice(-1_000);
  return said === '' ? 'Nothing was said about it.' : `It wrote: ${said}`;
}

function failed(what: string): NodeError {
  return new NodeError(
    'ImdsGuardFailed',
    `Pods may reach the metadata service. ${what} See journalctl -u ${guardUnit}.`,
    { retry: { pace: 'slow' } },
  );
}

function told({ address, allow }: GuardRules): string {
  const names = allow.map(({ name }) => name).join(', ');
  return `pods are kept from ${address}${names && `; let through: ${names}`}`;
}
