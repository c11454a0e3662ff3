import { actionText } from '../../../../../../src/agent/parts/maintenance/turn/actions.ts';
import type {
  TurnGrant,
  TurnRequest,
  TurnState,
} from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';
import { decide } from '../../../../../../src/agent/parts/maintenance/turn/decide.ts';
import type { Fleet } from '../../../../../../src/agent/parts/maintenance/turn/fleet.ts';
import type { FleetNode } from '../../../../../../src/agent/parts/maintenance/turn/fleet-node.ts';
import {
  emptyLedger,
  type Failure,
  grantOf,
  type Ledger,
  type Slot,
} from '../../../../../../src/agent/parts/maintenance/turn/ledger.ts';
import type { Observations } from '../../../../../../src/agent/parts/maintenance/turn/observations.ts';

export const upgrade = 'upgrade v1.36.4+k3s1';

/** Returns a node of the fleet. It serves, and asks for nothing; it is a server if its name begins with `server`. */
export function fleetNode(name: string, fields: Partial<FleetNode> = {}): FleetNode {
  const ready = fields.ready ?? 'True';
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '7',
    isServer: name.startsWith('server'),
    ready,
    serves: ready === 'True',
    isPlace: ready === 'True',
    version: 'v1.36.3+k3s1',
    isHeld: false,
    isAdopted: false,
    ...fields,
  };
}

export function aRequest(fields: Partial<TurnRequest> = {}): TurnRequest {
  return {
    wish: 'restart config',
    kind: 'restart',
    digest: '3f2a9c1b2d4e',
    boot: '0123abcd',
    drain: false,
    server: false,
    routes: false,
    ...fields,
  };
}

/** Returns a node that asks for a turn. */
export function asks(name: string, wish = 'restart config', fields: Partial<FleetNode> = {}): FleetNode {
  return fleetNode(name, { request: aRequest({ wish }), ...fields });
}

export function aSlot(node: string, fields: Partial<Slot> = {}): Slot {
  return {
    node,
    uid: `uid-${node}`,
    wish: 'restart config',
    digest: '3f2a9c1b2d4e',
    boot: '0123abcd',
    nonce: nonceOf(node),
    seconds: 300,
    nowhere: false,
    server: node.startsWith('server'),
    routes: false,
    ...fields,
  };
}

/** Returns the nonce of the slot that `aSlot` makes for a node. */
export function nonceOf(node: string): string {
  return Buffer.from(node).toString('hex').slice(0, 32).padEnd(8, '0');
}

export function aState(node: string, state: TurnState['state'], fields: Partial<TurnState> = {}): TurnState {
  return {
    nonce: nonceOf(node),
    digest: '3f2a9c1b2d4e',
    wish: 'restart config',
    state,
    message: '',
    ...fields,
  };
}

/** Returns a node that was offered the turn of `aSlot`. */
export function offered(name: string, wish = 'restart config', fields: Partial<FleetNode> = {}): FleetNode {
  const grant: TurnGrant = grantOf(aSlot(name));
  return asks(name, wish, { grant, ...fields });
}

/** Returns a node in a turn of `aSlot` that it has begun or ended. */
export function inTurn(
  name: string,
  state: TurnState['state'] = 'begun',
  fields: Partial<FleetNode> = {},
): FleetNode {
  return offered(name, 'restart config', { state: aState(name, state), ...fields });
}

export function aFailure(node: string, wish: string, fields: Partial<Failure> = {}): Failure {
  return { node, wish, digest: '3f2a9c1b2d4e', nonce: nonceOf(node), why: 'it went back', ...fields };
}

export interface FleetFields {
  readonly slots?: readonly Slot[];
  readonly failures?: readonly Failure[];
  readonly proven?: readonly string[];
  readonly orders?: Fleet['orders'];
  readonly settings?: Partial<Fleet['settings']>;
  readonly seen?: Partial<Observations>;
  readonly rotation?: Fleet['rotation'];
}

export function aFleet(nodes: readonly FleetNode[], fields: FleetFields = {}): Fleet {
  const { slots = [], failures = [], proven = [], orders = [], settings, seen, rotation } = fields;
  const ledger: Ledger = { ...emptyLedger, slots: [...slots], failures: [...failures], proven: [...proven] };
  return {
    nodes,
    ledger,
    orders,
    settings: { concurrency: '10%', maxFailed: 1, watchFor: 60_000, pause: false, ...settings },
    seen: { lasted: {}, resting: [], isRecovering: false, ...seen },
    rotation,
  };
}

/** Returns the first action and the waits of a decision, each as a line. */
export function decided(nodes: readonly FleetNode[], fields: FleetFields = {}): readonly string[] {
  const { actions, waits } = decide(aFleet(nodes, fields));
  return [...actions.slice(0, 1).map(actionText), ...waits.map(({ node, why }) => `${node} ${why}`)];
}
