import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { inSync, type Resource } from '../../../engine/resource.ts';
import { defaultInterface } from '../../../engine/route-table.ts';
import type { NodePaths } from '../../../paths.ts';
import { nonBlocking, observing } from '../../../resources/combinators.ts';
import { file } from '../../../resources/file.ts';
import { fileText } from '../../../resources/file-text.ts';
import { unitEnabled, unitLoaded } from '../../../resources/unit.ts';
import { tableLoaded } from '../table-loaded.ts';
import { keptRanges, type NatSettings, natKept } from './kept-ranges.ts';
import { forwarding, natUnitPath, renderNatSysctl, renderNatUnit } from './nat-files.ts';
import { listedNat, type NatRules, natName, outsideIn, renderNat } from './nat-rules.ts';
import { natTable } from './nat-table.ts';

/**
 * The milliseconds between two checks of the kernel. Lost rules must soon be restored, since the private hosts may have
 * no other route out.
 */
const every = 60_000;

/**
 * Lets private hosts reach the outside through this one: turns forwarding on and loads a separate nftables table. A
 * unit does both at every boot, without K3s, the daemon, a cloud or a secret. Returns no Resources if network.nat.from
 * is empty or the root is not `/`.
 *
 * A failure of NAT blocks no other Resource. If the settings no longer name a range, the range keeps NAT, and `NatKept`
 * is reported, until consent.natRemoval names the range.
 */
export function nat(settings: NatSettings, paths: NodePaths): readonly Resource[] {
  // If the root is not `/`, the rules would change the network of the machine that runs Slipway.
  if (settings.network.nat.from.length === 0 || paths.root !== '/') {
    return [];
  }
  const { condition, unit } = natTable;
  const unitFile = natUnitPath(paths);
  const content = async (host: HostReader) => renderNat(await wantedRules(host, settings, paths));
  const rules = file({ path: paths.slipway.nat, content, condition });
  const sysctl = file({ path: paths.system.natSysctl, content: renderNatSysctl(), condition });
  const written = file({ path: unitFile, content: renderNatUnit(paths), condition, needs: [rules.id] });
  const loaded = unitLoaded({ unit, path: unitFile, condition, needs: [written.id] });
  const enabled = unitEnabled({ unit, condition, needs: [loaded.id] });
  const inKernel = natLoaded(settings, paths, [loaded.id]);
  const kept = rangesKept(settings, paths, [rules.id]);
  return [rules, sysctl, written, loaded, enabled, inKernel, kept].map((each) => nonBlocking(each));
}

/** Keeps forwarding on and the rules loaded in the kernel. */
function natLoaded(settings: NatSettings, paths: NodePaths, needs: readonly string[]): Resource {
  const initial: NatRules = { ...settings.network.nat, outside: '' };
  return observing(
    (rules) => tableLoaded(natTable, loadedNat(rules), needs),
    initial,
    (host) => wantedRules(host, settings, paths),
  );
}

function loadedNat(rules: NatRules) {
  const find = async (host: HostReader) => ({ forwarding: (await fileText(host, forwarding)).trim() });
  return {
    name: natName(rules),
    listed: listedNat,
    message: `${rules.from.join(', ')} reach the outside through ${rules.outside}`,
    every,
    kernel: { wanted: { forwarding: '1' }, find },
  };
}

/** Throws `NatKept` while ranges that the settings no longer name keep NAT. */
function rangesKept(settings: NatSettings, paths: NodePaths, needs: readonly string[]): Resource {
  return {
    id: 'Nat/ranges',
    summary: 'keep the way out of ranges that the settings no longer name',
    condition: natTable.condition,
    needs,
    async check(host) {
      const kept = await keptRanges(host, settings, paths);
      if (kept.length > 0) {
        throw natKept(settings, kept);
      }
      return inSync();
    },
  };
}

/**
 * Returns the rules for the ranges in the settings and the kept ranges. The outside interface comes from the settings,
 * the default route or the previous rules, in this order; throws `NatFailed` if none of them names one.
 */
async function wantedRules(host: HostReader, settings: NatSettings, paths: NodePaths): Promise<NatRules> {
  const { from, except, interface: named } = settings.network.nat;
  const before = outsideIn(await fileText(host, paths.slipway.nat));
  const outside = named ?? defaultInterface(await fileText(host, '/proc/net/route')) ?? before;
  if (outside === undefined) {
    throw new NodeError(
      'NatFailed',
      'This machine has no default route yet, so it is not known which interface leads outside. Wait for the ' +
        'network, or name the interface: network.nat.interface.',
    );
  }
  return { from: [...from, ...(await keptRanges(host, settings, paths))], except, outside };
}
