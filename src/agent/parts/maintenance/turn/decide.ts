import type { Action } from './actions.ts';
import { isBegun, type TurnState } from './annotations.ts';
import { askingNodes, type Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import type { Slot } from './ledger.ts';
import { phaseOf } from './observations.ts';
import { obstacle } from './obstacles.ts';
import type { Order } from './orders.ts';
import { slotActions } from './slots.ts';
import { tellStopped } from './tell-stopped.ts';

/** What the holder of the Lease does next. */
export interface Decision {
  /** The actions in order; after each one, the fleet is read again. A grant is always the only action. */
  readonly actions: readonly Action[];
  /** Why each node that asks has to wait, in the order in which they would get their turns. */
  readonly waits: readonly Wait[];
}

export interface Wait {
  readonly node: string;
  readonly wish: string;
  /** The rest of a sentence that begins with the name of the node, such as `waits for server-1`. */
  readonly why: string;
}

/**
 * Decides which node may interrupt its service, only from what `fleet` shows. Turns are granted only once everything
 * known about former turns is settled.
 */
export function decide(fleet: Fleet): Decision {
  const settling = [
    ...unknownTurns(fleet),
    ...fleet.orders.flatMap((order) => obeyed(order, fleet)),
    ...slotActions(fleet),
    ...forgiven(fleet),
    ...forgotten(fleet),
    ...tellStopped(fleet),
  ];
  const waits = askingNodes(fleet).map((asking) => ({ asking, why: obstacle(asking, fleet) }));
  const next = waits.find(({ why }) => why === undefined)?.asking;
  const granted: readonly Action[] = next
    ? [{ kind: 'grant', asking: next, nowhere: isNowhere(next.node, fleet) }]
    : [];
  return {
    actions: settling.length > 0 ? settling : granted,
    waits: waits.flatMap(({ asking, why }) =>
      why === undefined ? [] : [{ node: asking.node.name, wish: asking.request.wish, why }],
    ),
  };
}

/** A turn that the ledger lacks comes from a lost ledger: it is adopted if its node has begun, otherwise withdrawn. */
function unknownTurns({ nodes, ledger }: Fleet): readonly Action[] {
  const isKnown = (nonce: string) => ledger.slots.some((slot) => slot.nonce === nonce);
  return nodes.flatMap((node): readonly Action[] => {
    const { grant, state } = node;
    if (grant !== undefined && state?.nonce !== grant.nonce && !isKnown(grant.nonce)) {
      return [{ kind: 'withdraw', node, nonce: grant.nonce, why: 'the ledger does not have it' }];
    }
    const hasTurn = ledger.slots.some((slot) => slot.node === node.name);
    return state && isBegun(node) && !hasTurn ? [{ kind: 'adopt', slot: adoptedSlot(node, state) }] : [];
  });
}

function adoptedSlot({ name, uid, isServer, request, grant }: FleetNode, state: TurnState): Slot {
  const { wish, digest, nonce } = state;
  const offer = grant ?? { boot: request?.boot ?? '00000000', seconds: 1, nowhere: true };
  return {
    ...offer,
    node: name,
    uid,
    wish,
    digest,
    nonce,
    server: isServer,
    routes: request?.routes === true,
  };
}

function obeyed(order: Order, fleet: Fleet): readonly Action[] {
  switch (order.order) {
    case 'release':
      return released(order, fleet);
    case 'continue':
      return continued(order, fleet);
    case 'now':
      return askingNodes(fleet).some(({ node }) => node.name === order.about)
        ? []
        : [{ kind: 'drop', order }];
  }
}

/** A released turn is withdrawn on its Node even if the node has begun, so that it is not adopted again. */
function released(order: Order, { nodes, ledger }: Fleet): readonly Action[] {
  const slot = ledger.slots.find((each) => each.node === order.about);
  if (slot === undefined) {
    return [{ kind: 'drop', order }];
  }
  const node = nodes.find(({ name, uid }) => name === slot.node && uid === slot.uid);
  return node === undefined || phaseOf(slot, node) === 'withdrawn'
    ? [{ kind: 'free', slot, proves: false }]
    : [{ kind: 'withdraw', node, nonce: slot.nonce, why: 'a person released it' }];
}

function continued(order: Order, { ledger }: Fleet): readonly Action[] {
  const failures = ledger.failures.filter(({ wish }) => order.about === '' || wish === order.about);
  return failures.length === 0 ? [{ kind: 'drop', order }] : [{ kind: 'forgive', failures }];
}

/**
 * A failure is forgotten once its node asks for this wish with another digest, or once no node asks for this wish but
 * some node asks for another one of its kind.
 */
function forgiven({ nodes, ledger }: Fleet): readonly Action[] {
  const requests = nodes.flatMap(({ name, request }) => (request ? [{ name, ...request }] : []));
  const failures = ledger.failures.filter(
    ({ node, wish, digest }) =>
      requests.some((each) => each.name === node && each.wish === wish && each.digest !== digest) ||
      (!requests.some((each) => each.wish === wish) &&
        requests.some((each) => kindOf(each.wish) === kindOf(wish))),
  );
  return failures.length === 0 ? [] : [{ kind: 'forgive', failures }];
}

function kindOf(wish: string): string {
  return wish.split(' ')[0] ?? '';
}

/** A wish that no node has any more goes to one agent first when it comes back. */
function forgotten({ nodes, ledger }: Fleet): readonly Action[] {
  const wanted = [...nodes.map(({ request }) => request?.wish), ...ledger.slots.map(({ wish }) => wish)];
  const wishes = ledger.proven.filter((wish) => !wanted.includes(wish));
  return wishes.length === 0 ? [] : [{ kind: 'forget', wishes }];
}

/** True if no other node could run the pods of this node. */
function isNowhere({ name }: FleetNode, { nodes }: Fleet): boolean {
  return !nodes.some((other) => other.name !== name && other.isPlace);
}
