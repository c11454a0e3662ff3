import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { compare, type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { forPerson } from '../../engine/severity.ts';
import { showUnit, systemctl } from '../../resources/unit.ts';
import { guardUnit } from './guard-unit.ts';
import { nft } from './nft-command.ts';
import { guardFailed, listTable, quoted } from './nft-list.ts';
import { type GuardRules, listedRules, rulesName } from './ruleset.ts';

/**
 * Keeps these rules loaded in the kernel: starts or reloads the unit if the rules were flushed or changed.
 *
 * Throws `NftablesMissing` without nft, and `ImdsGuardFailed` with the output of nft if it rejected the rules.
 */
export function rulesetLoaded(rules: GuardRules, needs: readonly string[]): Resource {
  return {
    id: 'ImdsGuard/rules',
    summary: `systemctl reload-or-restart ${guardUnit}`,
    condition: 'ImdsGuard',
    needs,
    check: (host) => checkLoaded(host, rules),
  };
}

async function checkLoaded(host: HostReader, rules: GuardRules): Promise<Finding> {
  if ((await host.stat(nft)) === undefined) {
    throw nftablesMissing();
  }
  const { ActiveState, LoadState } = await showUnit(host, guardUnit, ['ActiveState', 'LoadState']);
  // The unit file could not be written, as on a full disk.
  if (LoadState === 'not-found') {
    return waiting('Blocked', `waits for ${guardUnit}`, { blocks: false });
  }
  const list = ActiveState === 'active' ? await listTable(host) : undefined;
  const loaded = list === undefined ? undefined : listedRules(list, rules);
  const finding = compare({ rules: loaded }, { rules: rulesName(rules) }, loadRuleset);
  return finding.state === 'InSync' ? inSync({ message: keptFrom(rules) }) : finding;
}

function nftablesMissing(): NodeError {
  return new NodeError(
    'NftablesMissing',
    `There is no ${nft}, so pods can ask the metadata service for the identity of this VM. Install it ` +
      '(apt-get install nftables), or set imds.pods to allow.',
    forPerson,
  );
}

/** Loads the rules: reloads a running unit, which replaces them in one step, or starts the unit. */
async function loadRuleset(host: Host): Promise<void> {
  try {
    await host.run(systemctl('reload-or-restart', guardUnit));
  } catch (thrown) {
    if (!(thrown instanceof NodeError) || thrown.reason !== 'CommandFailed') {
      throw thrown;
    }
    throw guardFailed(
      `nft did not take the rules, so pods may reach the metadata service. ${quoted(await nftComplaint(host))}`,
    );
  }
}

/** Returns the output of nft from the last start of the unit. */
async function nftComplaint(host: HostReader): Promise<string> {
  const { InvocationID } = await showUnit(host, guardUnit, ['InvocationID']);
  const { stdout } = await host.query({
    file: 'journalctl',
    args: [`_SYSTEMD_INVOCATION_ID=${InvocationID}`, '-t', 'nft', '-o', 'cat', '-n', '4', '--no-pager'],
  });
  return stdout;
}

function keptFrom({ address, only, allow }: GuardRules): string {
  const port = only ? ` (${only.protocol} ${only.port})` : '';
  const names = allow.map(({ name }) => name).join(', ');
  return `pods are kept from ${address}${port}${names && `; let through: ${names}`}`;
}
