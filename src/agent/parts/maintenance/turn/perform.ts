import { sha256 } from '../../../engine/digest.ts';
import type { Host } from '../../../engine/host.ts';
import { patchObject } from '../../../kubernetes/api.ts';
import { type Lease, writeLease } from '../../../kubernetes/lease.ts';
import { objectPath } from '../../../kubernetes/object-path.ts';
import type { Action } from './actions.ts';
import { turnKeys, withdrawnText } from './annotations.ts';
import type { Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import {
  grantOf,
  type Ledger,
  ledgerKey,
  ledgerText,
  type Slot,
  withFailure,
  withoutFailures,
  withoutProven,
  withoutSlot,
  withSlot,
} from './ledger.ts';
import type { Looker } from './look.ts';
import { isSameOrder, ordersKey, ordersText } from './orders.ts';
import { turnsLease } from './turns-lease.ts';

/** How many seconds a node has to begin its turn after it has seen the grant. */
const seconds = 300;

/**
 * Carries out one action in the fleet as it was read. The ledger is written before the Node, and neither is written if
 * it has changed meanwhile: throws `ApiConflict`. Also throws the other errors of `replaceObject`.
 */
export async function perform(
  host: Host,
  { access, me }: Looker,
  { fleet, lease }: { readonly fleet: Fleet; readonly lease: Lease | undefined },
  action: Action,
): Promise<void> {
  const { ledger } = fleet;
  const annotated = (annotations: Readonly<Record<string, string>>) =>
    writeLease(host, access, turnsLease, { before: lease, me, annotations });
  const write = (changed: Ledger) => annotated({ [ledgerKey]: ledgerText(changed) });
  switch (action.kind) {
    case 'adopt':
      return write(withSlot(ledger, action.slot));
    case 'free':
      return write(withoutSlot(ledger, action.slot, action.proves));
    case 'fail':
      return write(withFailure(ledger, action.slot, action.why));
    case 'forgive':
      return write(withoutFailures(ledger, action.failures));
    case 'forget':
      return write(withoutProven(ledger, action.wishes));
    case 'drop': {
      const orders = fleet.orders.filter((order) => !isSameOrder(order, action.order));
      return annotated({ [ordersKey]: ordersText(orders) });
    }
    case 'withdraw':
      return annotate(host, access, action.node, { [turnKeys.grant]: withdrawnText(action.nonce) });
    case 'copy':
      return annotate(host, access, action.node, granting(action.slot));
    case 'tell': {
      const text = action.stopped.length > 0 ? JSON.stringify(action.stopped) : null;
      return annotate(host, access, action.node, { [turnKeys.stopped]: text });
    }
    case 'grant': {
      const slot = newSlot(action, lease);
      await write(withSlot(ledger, slot));
      return annotate(host, access, action.asking.node, granting(slot));
    }
  }
}

function newSlot(
  { asking: { node, request, isNow }, nowhere }: Extract<Action, { kind: 'grant' }>,
  lease: Lease | undefined,
): Slot {
  const { wish, digest, boot, routes } = request;
  const { name, uid, isServer: server } = node;
  // Only one write follows each version of the Lease, so that no two grants have the same nonce.
  const { uid: leaseUid, resourceVersion } = lease?.metadata ?? {};
  const nonce = sha256(JSON.stringify([leaseUid, resourceVersion, name, uid, boot, digest])).slice(0, 16);
  return {
    node: name,
    uid,
    wish,
    digest,
    boot,
    nonce,
    seconds,
    nowhere,
    server,
    routes,
    ...(isNow && { now: true }),
  };
}

function granting(slot: Slot): Readonly<Record<string, string>> {
  return { [turnKeys.grant]: JSON.stringify(grantOf(slot)) };
}

function annotate(
  host: Host,
  access: Looker['access'],
  { name, resourceVersion }: FleetNode,
  annotations: Readonly<Record<string, string | null>>,
): Promise<void> {
  const path = objectPath({ apiVersion: 'v1', resource: 'nodes', name });
  return patchObject(host, access, path, {
    metadata: { resourceVersion, annotations },
  });
}
