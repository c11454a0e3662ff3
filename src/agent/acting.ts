/** Which of several servers does what a cluster needs only once, such as GitOps, Secrets and backups. */

import { NodeError } from './engine/errors.ts';
import type { Host, HostReader } from './engine/host.ts';
import { type Finding, inSync, type Resource } from './engine/resource.ts';
import {
  type Holding,
  judgeLease,
  type Lease,
  type LeaseKind,
  type LeaseMemory,
  readLease,
  writeLease,
} from './kubernetes/lease.ts';
import { isOnlyServer, isServer, type K3sNode, mayActForCluster } from './node.ts';
import { nodeAccess } from './node-access.ts';
import { neverBlocking, unless } from './resources/combinators.ts';

/**
 * The Lease whose holder acts for the cluster. It outlasts three passes, so that a restart of K3s does not move the
 * work to another server; each regular pass renews it.
 */
export const actingLease: LeaseKind = { name: 'slipway-acting', duration: 900, renewAfter: 240_000 };

/** Returns the memory of a new process. */
export function actingMemory(): LeaseMemory {
  return { lease: undefined };
}

/** True if a Lease decides whether this node acts for the cluster: it is one of several servers. */
export function actsByLease(node: K3sNode): boolean {
  return isServer(node) && !isOnlyServer(node);
}

/**
 * Returns the Resource that takes and renews the Lease, and reports which server acts for the cluster; an empty list on
 * an agent and on the only server of a cluster.
 */
export function actingServer(
  node: K3sNode,
  memory: LeaseMemory,
  needs: readonly string[],
): readonly Resource[] {
  if (!actsByLease(node)) {
    return [];
  }
  const resource: Resource = {
    id: 'Cluster/acting',
    summary: 'let one server act for the cluster',
    condition: 'Acting',
    needs,
    async check(host) {
      const { lease, holding } = await look(host, node, memory);
      return judge(host, node, lease, holding);
    },
  };
  return [neverBlocking(resource)];
}

/** Checks the Resource only while this server acts for the cluster; otherwise reports the server that does. */
export function byActingServer(node: K3sNode, memory: LeaseMemory, resource: Resource): Resource {
  return actsByLease(node)
    ? unless(resource, async (host) => {
        const { holding } = await look(host, node, memory);
        return holding.state === 'mine' ? undefined : elsewhere(host, holding);
      })
    : resource;
}

/**
 * Returns the name of the Node of the server that acts for the cluster; `undefined` if no server does now, or if this
 * node cannot know it. Throws the errors of `readApi`.
 */
export async function nameOfActing(
  host: HostReader,
  node: K3sNode,
  memory: LeaseMemory,
): Promise<string | undefined> {
  if (!actsByLease(node)) {
    return mayActForCluster(node) ? node.name : undefined;
  }
  const { holding } = await look(host, node, memory);
  return holding.state === 'mine' ? node.name : holding.state === 'other' ? holding.holder : undefined;
}

async function look(
  host: HostReader,
  node: K3sNode,
  memory: LeaseMemory,
): Promise<{ readonly lease: Lease | undefined; readonly holding: Holding }> {
  const lease = await readLease(host, await nodeAccess(host, node), actingLease);
  const holding = judgeLease(actingLease, memory, lease, { me: node.name, now: host.monotonic() });
  return { lease, holding };
}

function judge(host: HostReader, node: K3sNode, lease: Lease | undefined, holding: Holding): Finding {
  if (holding.state === 'other') {
    return elsewhere(host, holding);
  }
  const isMine = holding.state === 'mine';
  if (isMine && !holding.isRenewalDue && !isNearlyLost(host, lease)) {
    return inSync({ message: 'this server acts for the cluster' });
  }
  const field = isMine ? 'the renewal of the Lease' : 'the server that acts for the cluster';
  const change = { field, observed: undefined, desired: isMine ? 'now' : node.name };
  const summary = isMine ? 'go on acting for the cluster' : 'act for the cluster';
  const remedy = (host: Host) => take(host, node, lease);
  return { state: 'Drifted', drift: { changes: [change], summary, due: isMine, blocks: false, remedy } };
}

/**
 * True if this server seems not to have renewed its own Lease for two passes. A new process does not know when the last
 * one renewed it, and its clock is good enough to renew too early.
 */
function isNearlyLost(host: HostReader, lease: Lease | undefined): boolean {
  return host.now() - Date.parse(lease?.spec?.renewTime ?? '') >= 600_000;
}

function elsewhere(host: HostReader, holding: Exclude<Holding, { state: 'mine' }>): Finding {
  return holding.state === 'other'
    ? inSync({
        message: `${holding.holder} acts for the cluster`,
        until: host.now() + holding.expiresIn,
      })
    : inSync({ message: 'no server acts for the cluster yet' });
}

/** Takes or renews the Lease, unless another server has changed it meanwhile, which the next check then sees. */
async function take(host: Host, node: K3sNode, before: Lease | undefined): Promise<void> {
  try {
    await writeLease(host, await nodeAccess(host, node), actingLease, { before, me: node.name });
  } catch (thrown) {
    if (!(thrown instanceof NodeError && thrown.reason === 'ApiConflict')) {
      throw thrown;
    }
  }
}
