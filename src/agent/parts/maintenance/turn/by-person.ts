/** What people see and order with `slipway turn` on a server. */
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { forPerson } from '../../../engine/severity.ts';
import { type ApiAccess, readKubeconfig } from '../../../kubernetes/kubeconfig.ts';
import { annotateLease } from '../../../kubernetes/lease.ts';
import type { NodePaths } from '../../../paths.ts';
import { decide } from './decide.ts';
import { askingNodes, type Fleet, type TurnSettings } from './fleet.ts';
import { type Look, lookAtFleet } from './look.ts';
import { turnMemory } from './observations.ts';
import { isSameOrder, type Order, ordersKey, ordersText } from './orders.ts';
import { turnsLease, turnsLeasePath } from './turns-lease.ts';
import { type StoppedWish, stoppedWishes, type TurnLine, turnLines } from './turns-text.ts';

/** The turns of the fleet, as `slipway turn` reports them. */
export interface TurnsReport {
  /** The server that holds the Lease, or held it last. */
  readonly holder?: string | undefined;
  readonly turns: readonly TurnLine[];
  /** The wishes for which no turn is granted, each with the failure of a node. */
  readonly stopped: readonly StoppedWish[];
}

/** Returns the turns of the fleet. Throws the errors of `readApi`, and `ApiUnavailable` on an agent. */
export async function reportTurns(
  host: HostReader,
  paths: NodePaths,
  settings: TurnSettings,
): Promise<TurnsReport> {
  const { fleet, lease } = await lookByPerson(host, await serverAccess(host, paths), settings);
  const holder = lease?.spec?.holderIdentity;
  return {
    ...(holder && { holder }),
    turns: turnLines(fleet, decide(fleet)),
    stopped: stoppedWishes(fleet),
  };
}

/** The most attempts to write an order while others write the Lease too. */
const attempts = 5;

/**
 * Writes an order to the Lease, where the server that holds the Lease finds it within half a minute.
 *
 * Throws `TurnUnknown` if the order fits no turn, no waiting node or no failure. Also throws `ApiConflict` if other
 * writers keep changing the Lease, and the other errors of `reportTurns`.
 */
export async function giveOrder(
  host: Host,
  paths: NodePaths,
  settings: TurnSettings,
  order: Order,
): Promise<void> {
  const access = await serverAccess(host, paths);
  for (let attempt = 1; ; attempt += 1) {
    const { fleet, lease } = await lookByPerson(host, access, settings);
    const fault = faultOf(order, fleet);
    if (fault !== undefined) {
      throw new NodeError('TurnUnknown', fault, forPerson);
    }
    const orders = [...fleet.orders.filter((each) => !isSameOrder(each, order)), order];
    try {
      await annotateLease(host, access, turnsLease, {
        before: lease,
        annotations: { [ordersKey]: ordersText(orders) },
      });
      return;
    } catch (thrown) {
      if (attempt >= attempts || !(thrown instanceof NodeError) || thrown.reason !== 'ApiConflict') {
        throw thrown;
      }
    }
  }
}

function faultOf({ order, about }: Order, fleet: Fleet): string | undefined {
  const { slots, failures } = fleet.ledger;
  switch (order) {
    case 'release':
      return slots.some(({ node }) => node === about)
        ? undefined
        : `The node ${about} has no turn. slipway turn lists those that have one.`;
    case 'now':
      return askingNodes(fleet).some(({ node }) => node.name === about)
        ? undefined
        : `The node ${about} does not wait for a turn. slipway turn lists those that do.`;
    case 'continue':
      return failures.some(({ wish }) => about === '' || wish === about)
        ? undefined
        : `No node has failed${about && ` with "${about}"`}. slipway turn lists the failures.`;
  }
}

/** Returns the admin's access to the API. Throws `ApiUnavailable` if this machine is not a server. */
export async function serverAccess(host: HostReader, { k3s }: NodePaths): Promise<ApiAccess> {
  if ((await host.stat(k3s.kubeconfig)) === undefined) {
    const why = `${k3s.kubeconfig} does not exist here`;
    throw new NodeError('ApiUnavailable', `Run this on a server of the cluster: ${why}.`, forPerson);
  }
  return readKubeconfig(host, k3s.kubeconfig);
}

/** Looks at the fleet once, without a memory. Throws `TurnsUnreadable`, and the errors of `readApi`. */
export async function lookByPerson(
  host: HostReader,
  access: ApiAccess,
  settings: TurnSettings,
): Promise<Look & { readonly fleet: Fleet }> {
  const { fleet, ...rest } = await lookAtFleet(host, { access, me: '', memory: turnMemory(), settings });
  if (fleet === undefined) {
    throw new NodeError(
      'TurnsUnreadable',
      `The ledger of turns in ${turnsLeasePath} is damaged. The condition Turns of a server names the repair.`,
      forPerson,
    );
  }
  return { ...rest, fleet };
}
