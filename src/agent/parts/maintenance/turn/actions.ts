import type { StoppedRequest } from './annotations.ts';
import type { Asking } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import type { Failure, Slot } from './ledger.ts';
import type { Order } from './orders.ts';

/** One step of the holder of the Lease. */
export type Action =
  /** Adds to the ledger a turn that a node has begun and the ledger lacks, as after the loss of the Lease. */
  | { readonly kind: 'adopt'; readonly slot: Slot }
  /** Withdraws a grant on the Node, if the Node has not changed since it was read. */
  | {
      readonly kind: 'withdraw';
      readonly node: FleetNode;
      readonly nonce: string;
      readonly why: string;
    }
  /** Removes a slot; with `proves`, also notes that the first agent has fulfilled its wish. */
  | { readonly kind: 'free'; readonly slot: Slot; readonly proves: boolean }
  | { readonly kind: 'fail'; readonly slot: Slot; readonly why: string }
  /** Removes failures. */
  | { readonly kind: 'forgive'; readonly failures: readonly Failure[] }
  /** Forgets that first agents have fulfilled these wishes. */
  | { readonly kind: 'forget'; readonly wishes: readonly string[] }
  /** Removes a person's order that was carried out or applies to nothing. */
  | { readonly kind: 'drop'; readonly order: Order }
  /** Writes the grant of a slot to its Node. */
  | { readonly kind: 'copy'; readonly slot: Slot; readonly node: FleetNode }
  /** Shows a node on its Node which of its wishes get no turn after a failure. */
  | { readonly kind: 'tell'; readonly node: FleetNode; readonly stopped: readonly StoppedRequest[] }
  /** Adds a new slot to the ledger, and then writes its grant to the Node. */
  | { readonly kind: 'grant'; readonly asking: Asking; readonly nowhere: boolean };

/** Returns an action as an imperative. */
export function actionText(action: Action): string {
  switch (action.kind) {
    case 'adopt':
      return `note that ${action.slot.node} is in its turn (${action.slot.wish})`;
    case 'withdraw':
      return `withdraw the turn of ${action.node.name}, because ${action.why}`;
    case 'free':
      return `end the turn of ${action.slot.node} (${action.slot.wish})`;
    case 'fail':
      return `note that ${action.slot.node} failed in its turn (${action.slot.wish}): ${action.why}`;
    case 'forgive':
      return `forget the failures of ${[...new Set(action.failures.map(({ node }) => node))].join(', ')}`;
    case 'forget':
      return `forget the first agent of ${action.wishes.join(', ')}`;
    case 'drop':
      return `remove the order ${action.order.order} ${action.order.about}`.trim();
    case 'copy':
      return `write the turn of ${action.slot.node} to its Node`;
    case 'tell':
      return `show ${action.node.name} which wishes are stopped (${action.stopped.map(({ wish }) => wish).join(', ') || 'none'})`;
    case 'grant':
      return `grant ${action.asking.node.name} its turn (${action.asking.request.wish})`;
  }
}
