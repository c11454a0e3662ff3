import { rememberingObjects } from '../../../engine/remembering.ts';
import type { TurnRequest } from './annotations.ts';
import type { FleetNode } from './fleet-node.ts';
import type { Ledger, Slot } from './ledger.ts';
import type { Notice } from './notice-text.ts';
import type { Observations } from './observations.ts';
import type { Order } from './orders.ts';

/** The settings by which turns are granted. */
export interface TurnSettings {
  readonly concurrency: number | string;
  readonly maxFailed: number;
  /** How long the first agent with a wish serves before others follow; milliseconds. */
  readonly watchFor: number;
  readonly pause: boolean;
}

/** Everything by which the holder of the Lease decides. */
export interface Fleet {
  readonly nodes: readonly FleetNode[];
  readonly ledger: Ledger;
  readonly orders: readonly Order[];
  readonly settings: TurnSettings;
  readonly seen: Observations;
  /** The rotation of the join token that the Lease shows. */
  readonly rotation?: Notice | undefined;
}

/** A node that asks for a turn. */
export interface Asking {
  readonly node: FleetNode;
  readonly request: TurnRequest;
  /** True if a person lets the node begin outside its windows and before others (`slipway turn now`). */
  readonly isNow: boolean;
}

/**
 * Returns the nodes that ask for a turn and have none: first those that a person puts first, then the Ready ones. Each
 * fleet is read once, since every agent that asks is compared with all the others.
 */
export const askingNodes = rememberingObjects(({ nodes, ledger, orders }: Fleet): readonly Asking[] => {
  const isNow = (name: string) => orders.some(({ order, about }) => order === 'now' && about === name);
  return nodes
    .filter(({ name }) => !ledger.slots.some(({ node }) => node === name))
    .flatMap((node) => (node.request ? [{ node, request: node.request, isNow: isNow(node.name) }] : []))
    .toSorted((a, b) => rank(a) - rank(b) || byName.compare(a.node.name, b.node.name));
});

const byName = new Intl.Collator('en', { numeric: true });

function rank({ isNow, node }: Asking): number {
  if (isNow) {
    return 0;
  }
  return node.ready === 'True' ? 1 : 2;
}

/** Returns the slots of servers, or those of agents. */
export function slotsOf({ ledger }: Pick<Fleet, 'ledger'>, kind: 'server' | 'agent'): readonly Slot[] {
  return ledger.slots.filter(({ server }) => server === (kind === 'server'));
}

/**
 * Returns a server that does not serve, besides the node `name`; `undefined` if all others serve. With etcd, two
 * servers that do not serve can be the majority.
 */
export function otherServerAway(
  { name }: Pick<FleetNode, 'name'>,
  { nodes }: Pick<Fleet, 'nodes'>,
): FleetNode | undefined {
  return nodes.find((other) => other.isServer && !other.serves && other.name !== name);
}

/** Returns the nodes whose failures stop turns for a wish; an empty list if fewer than `maxFailed` nodes failed. */
export function failedNodes({ ledger, settings }: Fleet, wish: string): readonly string[] {
  const names = new Set(ledger.failures.filter((failure) => failure.wish === wish).map(({ node }) => node));
  return names.size >= settings.maxFailed ? [...names] : [];
}

/** Returns how many agents may have a turn at once: a number, or a share of all agents, at least one. */
export function mostAgents({ nodes, settings }: Pick<Fleet, 'nodes' | 'settings'>): number {
  const { concurrency } = settings;
  if (typeof concurrency === 'number') {
    return concurrency;
  }
  const agents = nodes.filter(({ isServer }) => !isServer).length;
  return Math.max(1, Math.floor((agents * Number.parseInt(concurrency, 10)) / 100));
}
