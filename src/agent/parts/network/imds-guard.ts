import { isIPv4 } from 'node:net';
import { type Choosing, type ChosenCloud, chosenCloud } from '../../clouds/chosen.ts';
import type { Metadata } from '../../clouds/driver.ts';
import { type Clouds, clouds } from '../../clouds/index.ts';
import type { HostReader } from '../../engine/host.ts';
import type { Resource } from '../../engine/resource.ts';
import type { NodePaths } from '../../paths.ts';
import { nonBlocking } from '../../resources/combinators.ts';
import { file } from '../../resources/file.ts';
import { unitEnabled, unitLoaded } from '../../resources/unit.ts';
import type { Settings } from '../../settings/schema.ts';
import { guardTable } from './guard-table.ts';
import { guardUnitPath, renderGuardUnit } from './guard-unit.ts';
import { imdsGuardRemoved } from './imds-guard-removed.ts';
import { unlessGuarded } from './kept-guard.ts';
import { listedIPv6 } from './listed-ipv6.ts';
import {
  type GuardedService,
  type GuardRules,
  keptFrom,
  listedRules,
  renderRuleset,
  rulesName,
} from './ruleset.ts';
import { tableLoaded } from './table-loaded.ts';
import { undecidedGuard } from './undecided-guard.ts';

export interface Guarded {
  readonly settings: Choosing & Pick<Settings, 'imds'>;
  readonly paths: NodePaths;
}

/** Resolves to true if pods may have run on this node before. */
type ServedBefore = (host: HostReader) => Promise<boolean>;

/**
 * Blocks pods' access to the instance metadata service, at every boot before K3s starts. Removes the guard instead if
 * imds.pods is `allow`, no address needs a guard, or the root is not `/`. Keeps an existing guard (`ImdsGuardKept`) if
 * only the settings can name the addresses, and they name none. A node that ran pods before it had a guard gets no
 * guard until its settings decide whether it needs one.
 *
 * Without the guard, any pod can use the node's identity and thus read the join token. A fault of the guard never
 * blocks K3s; a separate condition reports the fault.
 */
export function imdsGuard(
  { settings, paths }: Guarded,
  servedBefore: ServedBefore,
  table: Clouds = clouds,
): readonly Resource[] {
  const chosen = chosenCloud(settings, table);
  const found = servicesToGuard({ settings, paths }, chosen);
  if (typeof found === 'string') {
    return [nonBlocking(guardGone({ settings, paths }, chosen, found))];
  }
  const guard = guardResources({ services: found, allow: settings.imds.allow }, paths);
  // The operator has decided about the guard if the settings set imds.pods, name the addresses or allow a client.
  const isDecided =
    settings.imds.pods !== undefined ||
    settings.imds.allow.length > 0 ||
    chosen.metadataSetting !== undefined;
  const resources = isDecided ? guard : undecidedGuard(guard, paths, servedBefore, found);
  return resources.map((each) => nonBlocking(each));
}

/**
 * Removes the guard. Keeps an existing guard instead if only the settings can name its addresses, and they neither name
 * any nor set imds.pods to `allow`; but never if the root is not `/`.
 */
function guardGone(
  { settings, paths }: Guarded,
  { metadata, metadataSetting }: Pick<ChosenCloud, 'metadata' | 'metadataSetting'>,
  why: string,
): Resource {
  const removal = imdsGuardRemoved(paths, why);
  const isDecided = settings.imds.pods === 'allow' || metadata.length > 0 || paths.root !== '/';
  return isDecided || metadataSetting === undefined
    ? removal
    : unlessGuarded(removal, paths, settings.cloud, metadataSetting);
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

/** Keeps the guard's rules loaded in the kernel. */
export function guardLoaded(rules: GuardRules, needs: readonly string[]): Resource {
  const listed = (list: string) => listedRules(list, rules);
  return tableLoaded(guardTable, { name: rulesName(rules), listed, message: keptFrom(rules) }, needs);
}

/** Returns the addresses to guard, or a message that states why none is guarded. */
function servicesToGuard(
  { settings, paths }: Guarded,
  {
    metadata,
    otherMetadata,
    metadataSetting,
  }: Pick<ChosenCloud, 'metadata' | 'otherMetadata' | 'metadataSetting'>,
): readonly GuardedService[] | string {
  if (settings.imds.pods === 'allow') {
    return 'imds.pods lets every pod ask the metadata service';
  }
  if (metadata.length === 0) {
    return metadataSetting === undefined
      ? `cloud ${settings.cloud} has no metadata service`
      : `no address is guarded: if the provider has a metadata service, name it in ${metadataSetting}`;
  }
  const services = metadata.flatMap(guardable);
  if (services.length === 0) {
    const [{ address, setting = 'the metadata service' } = { address: '' }] = metadata;
    return `${setting} leads to ${address}: nothing to guard`;
  }
  if (paths.root !== '/') {
    return `the network is the machine's own, and not guarded below ${paths.root}`;
  }
  const others = otherMetadata.flatMap(guardable);
  return [...services, ...others.filter((other) => !services.some((service) => covers(service, other)))];
}

/** True if the rules that guard the first service also guard the other. */
function covers({ address, only }: GuardedService, other: GuardedService): boolean {
  return address === other.address && (only === undefined || only.port === other.only?.port);
}

/**
 * Returns the service with its address as nft lists it. Returns an empty list for a host name, and for a loopback
 * address, which pods cannot reach.
 */
function guardable({ address, only }: Metadata): readonly GuardedService[] {
  const bare = address.replace(/^\[(.*)\]$/, '$1');
  const listed = isIPv4(bare) ? bare : listedIPv6(bare);
  return listed === undefined || isLoopback(listed) ? [] : [{ address: listed, only }];
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
