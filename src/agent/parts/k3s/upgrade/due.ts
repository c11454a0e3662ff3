import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, inSync } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { joinedCluster } from '../membership/joined-cluster.ts';
import { mayUpgrade } from './allowed.ts';
import { readUpgrade, type UpgradeRecord } from './record.ts';
import { soundVersion } from './release.ts';

/** An upgrade that this node may make now. */
export interface DueUpgrade {
  readonly from: string;
  readonly to: string;
  /** True if this node has begun the upgrade; the executable is not replaced yet. */
  readonly isBegun: boolean;
}

/**
 * Returns the upgrade that this node may make; `undefined` if it runs the release that it wants, may not go to it now
 * (`k3sExecutable` reports why), or is not done with an earlier upgrade.
 */
export async function dueUpgrade(host: HostReader, node: K3sNode): Promise<DueUpgrade | undefined> {
  if (node.settings.k3s.upgrade !== 'auto' || !(await joinedCluster(host, node))) {
    return undefined;
  }
  const from = await soundVersion(host, node.paths.k3s.binary);
  if (from === undefined || from === node.version) {
    return undefined;
  }
  const record = await readUpgrade(host, node.paths);
  if (isUnfinished(record, from) || !(await isAllowed(host, node, from))) {
    return undefined;
  }
  const to = node.version;
  return { from, to, isBegun: record?.state === 'begun' && record.from === from && record.wanted === to };
}

/**
 * Returns an in-sync finding for a step of the upgrade. While the upgrade waits to begin, a plan lists the step as a
 * later one.
 */
export async function inSyncOrLater(host: HostReader, node: K3sNode): Promise<Finding> {
  const due = await dueUpgrade(host, node);
  return inSync(due && !due.isBegun ? { isLater: true } : {});
}

/** True if the upgrade has put its release in place, which is neither verified nor given up yet. */
export function isUnfinished(record: UpgradeRecord | undefined, installed: string | undefined): boolean {
  return record?.state === 'begun' && record.wanted === installed;
}

async function isAllowed(host: HostReader, node: K3sNode, installed: string): Promise<boolean> {
  try {
    await mayUpgrade(host, node, installed);
    return true;
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return false;
    }
    throw thrown;
  }
}
