import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../../engine/resource.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { showUnit } from '../../../resources/unit.ts';
import { type DueUpgrade, dueUpgrade } from './due.ts';
import { isDown } from './is-down.ts';
import { copyReason, readUpgrade, writeUpgrade } from './record.ts';
import { compareVersions, parseVersion } from './version.ts';

/**
 * Returns the next step towards a copy of the datastore that was made for `reason` and that K3s `version` wrote, or a
 * wait for it; `undefined` if the copy exists or if this node needs none. A server with etcd whose data other servers
 * have, too, needs one only with `always`.
 */
export type CopyStep = (
  host: HostReader,
  node: K3sNode,
  forWhat: { readonly reason: string; readonly version: string; readonly always?: boolean },
) => Promise<Finding | undefined>;

/** Returns why a copy for `forWhat` cannot be made now; `undefined` if nothing is known to prevent it. */
export type CopyLack = (
  host: HostReader,
  node: K3sNode,
  forWhat: { readonly reason: string; readonly version: string },
) => Promise<NodeError | undefined>;

/**
 * Makes a copy of the datastore of a server after the upgrade has begun, and before it replaces the executable. If the
 * copy fails, except because K3s was restarted, records why, so that the upgrade gives up its turn instead of keeping
 * it.
 */
export function datastoreCopied(node: K3sNode, copy: CopyStep, needs: readonly string[]): Resource {
  return {
    id: 'Upgrade/copied',
    summary: 'copy the datastore before the upgrade',
    condition: 'K3sBinary',
    needs,
    async check(host) {
      const due = await dueUpgrade(host, node);
      const finding = due && (await copyFor(host, node, due, copy));
      if (finding && !due.isBegun) {
        return inSync({ isLater: true });
      }
      return finding ? recordingFailure(node, finding) : inSync();
    },
  };
}

function recordingFailure({ paths }: K3sNode, finding: Finding): Finding {
  if (finding.state !== 'Drifted') {
    return finding;
  }
  const remedy = async (host: Host) => {
    try {
      await finding.drift.remedy(host);
    } catch (thrown) {
      const record = await readUpgrade(host, paths);
      if (thrown instanceof NodeError && thrown.reason !== 'ServiceStarting' && record?.state === 'begun') {
        await writeUpgrade(host, paths, { ...record, declined: thrown.message });
      }
      throw thrown;
    }
  };
  return { ...finding, drift: { ...finding.drift, remedy } };
}

/**
 * Returns what `copy` returns about the copy for an upgrade; `undefined` if the upgrade needs none. A way back needs no
 * copy. Neither does the upgrade of a K3s that does not run: nothing can be copied then, and the upgrade may be its
 * repair.
 */
export async function copyFor<Found>(
  host: HostReader,
  node: K3sNode,
  { from, to }: DueUpgrade,
  copy: ((...args: Parameters<CopyStep>) => Promise<Found | undefined>) | undefined,
): Promise<Found | undefined> {
  const isBack = isOlder(to, from);
  return copy === undefined || isBack || !(await isRunning(host, node))
    ? undefined
    : copy(host, node, { reason: copyReason(to), version: from });
}

function isOlder(one: string, other: string): boolean {
  const [a, b] = [parseVersion(one), parseVersion(other)];
  return a !== undefined && b !== undefined && compareVersions(a, b) < 0;
}

async function isRunning(host: HostReader, node: K3sNode): Promise<boolean> {
  const { ActiveState } = await showUnit(host, unitName(node.role.k3s), ['ActiveState']);
  const isUp = ['active', 'reloading', 'activating', 'deactivating'].includes(ActiveState);
  return isUp && !(await isDown(host, node));
}
