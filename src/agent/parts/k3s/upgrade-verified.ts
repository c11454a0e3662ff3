import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type Finding, type Resource, step, waiting } from '../../engine/resource.ts';
import { isServer, type K3sNode, unitName } from '../../node.ts';
import { fileText } from '../../resources/file-text.ts';
import { showUnit } from '../../resources/unit.ts';
import { readiness } from './node-ready.ts';
import { serverHealth } from './server-health.ts';
import { inSyncOrLater } from './upgrade/due.ts';
import { readUpgrade, type UpgradeRecord, writeUpgrade } from './upgrade/record.ts';
import { soundVersion } from './upgrade/release.ts';

/**
 * Verifies a new release: K3s is active, the API of a server is healthy, the Node is Ready with the new version and has
 * reported since the start, and all this holds for `maintenance.watchFor` without a restart, because crash loops show
 * after the first Ready. Then the upgrade is done. Forgets an upgrade whose release is not in place if the settings no
 * longer want it.
 */
export function upgradeVerified(node: K3sNode, needs: readonly string[]): Resource {
  return {
    id: 'Upgrade/verified',
    summary: `verify K3s ${node.version} for ${timeText(node.settings.maintenance.watchFor)}`,
    condition: 'K3sBinary',
    needs,
    async check(host) {
      const record = await readUpgrade(host, node.paths);
      if (record === undefined || !['begun', 'gaveUp'].includes(record.state)) {
        return inSyncOrLater(host, node);
      }
      const installed = await soundVersion(host, node.paths.k3s.binary);
      if (installed === record.wanted) {
        return verify(host, node, record);
      }
      return record.state === 'begun' && isDropped(node, record)
        ? dropped(node, record)
        : inSyncOrLater(host, node);
    },
  };
}

/** True if the settings no longer want the release of an upgrade that has begun. */
function isDropped({ version, settings }: K3sNode, { wanted }: UpgradeRecord): boolean {
  return version !== wanted || settings.k3s.upgrade !== 'auto';
}

function dropped({ paths }: K3sNode, { wanted }: UpgradeRecord): Finding {
  const change = { field: 'upgrade', observed: wanted, desired: undefined };
  const summary = `forget the upgrade to K3s ${wanted}`;
  return step(change, (host) => host.remove(paths.slipway.upgrade), { summary });
}

async function verify(host: HostReader, node: K3sNode, record: UpgradeRecord): Promise<Finding> {
  const lacks = await lacking(host, node, record);
  if (lacks !== undefined) {
    return waiting('Upgrading', `K3s ${record.wanted} is in place: ${lacks}`, { blocks: false });
  }
  const { InvocationID: invocation, NRestarts } = await showUnit(host, unitName(node.role.k3s), [
    'InvocationID',
    'NRestarts',
  ]);
  const restarts = Number(NRestarts) || 0;
  const { held } = record;
  const now = await clock(host);
  const { watchFor } = node.settings.maintenance;
  const write = (summary: string, changes: Partial<UpgradeRecord>) =>
    step(
      { field: 'upgrade', observed: record.state, desired: changes.state ?? 'verified' },
      (writing) => writeUpgrade(writing, node.paths, { ...record, ...changes }),
      { summary },
    );
  if (held?.invocation !== invocation || held.restarts !== restarts || held.since > now) {
    const summary = `watch K3s ${record.wanted} for ${timeText(watchFor)}`;
    return write(summary, { held: { invocation, restarts, since: now } });
  }
  const left = held.since + watchFor - now;
  if (left > 0) {
    const message = `K3s ${record.wanted} runs, and is watched for ${timeText(watchFor)}`;
    return waiting('Upgrading', message, { after: left, blocks: false });
  }
  return write(`note that K3s ${record.wanted} is verified`, { state: 'done' });
}

/**
 * Returns milliseconds of a clock that is never set and that continues when Slipway restarts: the time since the boot
 * (proc_uptime(5)). If that is unknown, returns the time since the start of this process, which then watches for the
 * whole time itself.
 */
async function clock(host: HostReader): Promise<number> {
  const seconds = Number.parseFloat(await fileText(host, '/proc/uptime'));
  return Number.isFinite(seconds) ? Math.round(seconds * 1_000) : host.monotonic();
}

/** Returns a time as words, such as `a minute`, `10 minutes` or `90 s`. */
function timeText(milliseconds: number): string {
  const minutes = milliseconds / 60_000;
  if (!Number.isInteger(minutes)) {
    return `${milliseconds / 1_000} s`;
  }
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}

/** Returns what still speaks against the new release; `undefined` if the node is healthy with it. */
async function lacking(
  host: HostReader,
  node: K3sNode,
  { wanted }: UpgradeRecord,
): Promise<string | undefined> {
  const { ActiveState } = await showUnit(host, unitName(node.role.k3s), ['ActiveState']);
  if (ActiveState !== 'active') {
    return `its unit is ${ActiveState || 'unknown'}`;
  }
  const ready = await readiness(host, node);
  if (ready.state !== 'InSync') {
    return ready.state === 'Waiting' ? ready.message : 'the node is not Ready';
  }
  if (ready.version !== wanted) {
    return `kubelet reports ${ready.version ?? 'no version'}`;
  }
  return isServer(node) ? unhealthy(host, node) : undefined;
}

async function unhealthy(host: HostReader, node: K3sNode): Promise<string | undefined> {
  try {
    return await serverHealth(host, node);
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return thrown.message;
    }
    throw thrown;
  }
}
