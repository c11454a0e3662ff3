import { isIPv4 } from 'node:net';
import { type Choosing, chosenCloud } from '../../clouds/chosen.ts';
import type { Metadata } from '../../clouds/driver.ts';
import { type Clouds, clouds } from '../../clouds/index.ts';
import type { Resource } from '../../engine/resource.ts';
import type { NodePaths } from '../../paths.ts';
import { nonBlocking } from '../../resources/combinators.ts';
import { file } from '../../resources/file.ts';
import { unitEnabled, unitLoaded } from '../../resources/unit.ts';
import type { Settings } from '../../settings/schema.ts';
import { guardTable } from './guard-table.ts';
import { guardUnitPath, renderGuardUnit } from './guard-unit.ts';
import { imdsGuardRemoved } from './imds-guard-removed.ts';
import { type GuardRules, keptFrom, listedRules, renderRuleset, rulesName } from './ruleset.ts';
import { tableLoaded } from './table-loaded.ts';

export interface Guarded {
  readonly settings: Choosing & Pick<Settings, 'imds'>;
  readonly paths: NodePaths;
}

/**
 * Keeps pods from the instance metadata service, at every boot before K3s starts. Removes the guard if imds.pods is
 * `allow` or no metadata service needs a guard.
 *
 * Without the guard any pod has the identity of its node, and thus access to the join token. The guard never blocks
 * K3s: a separate condition reports its faults.
 */
export function imdsGuard({ settings, paths }: Guarded, table: Clouds = clouds): readonly Resource[] {
  const found = metadataToGuard({ settings, paths }, chosenCloud(settings, table).metadata);
  if (typeof found === 'string') {
    return [nonBlocking(imdsGuardRemoved(paths, found))];
  }
  const { address, only } = found;
  return guardResources({ address, only, allow: settings.imds.allow }, paths).map((each) =>
    nonBlocking(each),
  );
}

function guardResources(rules: GuardRules, paths: NodePaths): readonly Resource[] {
  const { condition, unit } = guardTable;
  const path = guardUnitPath(paths);
  const ruleset = file({ path: paths.slipway.imdsGuard, content: renderRuleset(rules), condition });
  const written = file({ path, content: renderGuardUnit(paths), condition, needs: [ruleset.id] });
  const loaded = unitLoaded({ unit, path, condition, needs: [written.id] });
  const enabled = unitEnabled({ unit, condition, needs: [loaded.id] });
  return [ruleset, written, loaded, enabled, guardLoaded(rules, [loaded.id])];
}

/** The kernel has the rules of the guard. */
export function guardLoaded(rules: GuardRules, needs: readonly string[]): Resource {
  const listed = (list: string) => listedRules(list, rules);
  return tableLoaded(guardTable, { name: rulesName(rules), listed, message: keptFrom(rules) }, needs);
}

/** Returns the metadata service to guard, or the reason why none is guarded. */
function metadataToGuard({ settings, paths }: Guarded, metadata: Metadata | undefined): Metadata | string {
  if (settings.imds.pods === 'allow') {
    return 'imds.pods lets every pod ask the metadata service';
  }
  if (!metadata) {
    return `cloud ${settings.cloud} has no metadata service`;
  }
  const { address, setting = 'the metadata service' } = metadata;
  if (!isIPv4(address) || address.startsWith('127.')) {
    return `${setting} leads to ${address}: nothing to guard`;
  }
  if (paths.root !== '/') {
    return `the network is the machine's own, and not guarded below ${paths.root}`;
  }
  return metadata;
}
