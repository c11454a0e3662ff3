import { NodeError } from '../../src/agent/engine/errors.ts';
import { giveOrder } from '../../src/agent/parts/maintenance/index.ts';
import type { Order } from '../../src/agent/parts/maintenance/turn/orders.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import type { Fleet } from './fleet.ts';
import { FleetHost } from './fleet-host.ts';

/** The settings by which the servers of a fleet grant turns. */
const granting = { maxFailed: 1, watchFor: 60_000, pause: false } as const;

/**
 * Lets a person run `slipway turn ORDER` on the first server, with the real command. An order that fits nothing, or
 * that the API does not take now, changes nothing. The interruption of a node whose turn is released no longer counts.
 */
export function orderTurn(fleet: Fleet, order: Order): void {
  const [server] = fleet.api.servers();
  if (server === undefined) {
    return;
  }
  const { concurrency } = fleet.plan.maintenance;
  const process = { isAlive: true, changesLeft: Number.POSITIVE_INFINITY, onLast: () => {} };
  const host = new FleetHost(server, fleet.api, process);
  fleet.timeline.isAwake = true;
  void giveOrder(host, nodePaths('/'), { ...granting, concurrency }, order).then(
    () => noteOrder(fleet, order),
    (thrown) => {
      if (!(thrown instanceof NodeError)) {
        throw thrown;
      }
      fleet.trace.note('a person', `cannot order ${order.order} ${order.about}: ${thrown.message}`);
    },
  );
}

function noteOrder(fleet: Fleet, { order, about }: Order): void {
  const { daemons, trace } = fleet;
  fleet.continues += order === 'continue' ? 1 : 0;
  trace.note('a person', `orders ${order} ${about}`);
  const node = daemons.find((each) => each.node.name === about)?.node;
  if (order === 'release' && node?.interruption) {
    node.interruption = { ...node.interruption, repairs: 'a release by a person' };
  }
}
