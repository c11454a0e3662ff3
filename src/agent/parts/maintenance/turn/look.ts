import type { HostReader } from '../../../engine/host.ts';
import type { ApiAccess } from '../../../kubernetes/kubeconfig.ts';
import { type Holding, judgeLease, type Lease, readLease } from '../../../kubernetes/lease.ts';
import { readList } from '../../../kubernetes/lists.ts';
import { listPath } from '../../../kubernetes/object-path.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import type { Fleet, TurnSettings } from './fleet.ts';
import { type FleetNode, fleetNode, fleetNodeItem } from './fleet-node.ts';
import { emptyLedger, ledgerKey, readLedger } from './ledger.ts';
import { noticeIn } from './notice-text.ts';
import { observe, type TurnMemory } from './observations.ts';
import { ordersKey, readOrders } from './orders.ts';
import { turnsLease } from './turns-lease.ts';

/** Who looks at the fleet: a server of the cluster. */
export interface Looker {
  readonly access: ApiAccess;
  /** The name of the server's Node. */
  readonly me: string;
  readonly memory: TurnMemory;
  readonly settings: TurnSettings;
}

/** Returns this server as one that looks at the fleet. Throws `ApiUnavailable` before the first start of K3s. */
export async function lookerOf(host: HostReader, node: K3sNode, memory: TurnMemory): Promise<Looker> {
  return { access: await nodeAccess(host, node), me: node.name, memory, settings: node.settings.maintenance };
}

/** The fleet and the Lease, as the API shows them now. */
export interface Look {
  /** Absent if the ledger in the Lease cannot be read. */
  readonly fleet: Fleet | undefined;
  readonly lease: Lease | undefined;
  readonly holding: Holding;
}

/**
 * Reads the fleet. The Nodes are read before the Lease: if the ledger still has a grant by then, either the grant was
 * not withdrawn before its Node was read, or the Node shows the withdrawal. So a former holder cannot write the grant
 * again.
 *
 * Throws the errors of `readApi`.
 */
export async function lookAtFleet(host: HostReader, looker: Looker): Promise<Look> {
  const { access, me, memory, settings } = looker;
  const nodes = await readNodes(host, access);
  const lease = await readLease(host, access, turnsLease);
  const now = host.monotonic();
  const holding = judgeLease(turnsLease, memory, lease, { me, now });
  const annotations = lease?.metadata.annotations ?? {};
  const text = annotations[ledgerKey];
  const ledger = text === undefined ? emptyLedger : readLedger(text);
  if (ledger === undefined) {
    return { fleet: undefined, lease, holding };
  }
  const seen = observe(memory, { nodes, ledger }, now);
  const orders = readOrders(annotations[ordersKey] ?? '');
  return { fleet: { nodes, ledger, orders, settings, seen, rotation: noticeIn(lease) }, lease, holding };
}

/** Reads all Nodes of the cluster, as only a server may. Throws the errors of `readApi`. */
export async function readNodes(host: HostReader, access: ApiAccess): Promise<readonly FleetNode[]> {
  const path = listPath({ apiVersion: 'v1', resource: 'nodes' });
  return (await readList(host, access, path, fleetNodeItem)).map(fleetNode);
}
