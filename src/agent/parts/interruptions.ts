import type { Cloud } from '../clouds/cloud.ts';
import type { Resource } from '../engine/resource.ts';
import type { K3sNode } from '../node.ts';
import { heldBack, upkeep } from '../resources/combinators.ts';
import { type Gate, upgradeTakenBack } from './k3s/index.ts';
import {
  cordonReturned,
  type EventMemory,
  eventMemory,
  holdReported,
  holdShown,
  keepsCordon,
  maintenanceGate,
  type NodeEvents,
  scheduledEvents,
  type TurnMemory,
  turnEnded,
  unlessStopped,
  untilEventIsOver,
} from './maintenance/index.ts';

/** What this process knows, from which it decides when the node is interrupted. */
export interface InterruptionPorts {
  readonly cloud: Cloud;
  /** What this process has seen of the turns of the fleet. */
  readonly turns: TurnMemory;
  /** What this process has seen of the events of the cloud, if it asks for them. */
  readonly events?: EventMemory;
  /** True if a person has this node interrupted now, as by `slipway apply --restart`. */
  readonly isByPerson?: boolean;
}

/** What decides when a node is interrupted, and what clears up afterwards. */
export interface Interruptions {
  /** The gate before each interruption by Slipway. */
  readonly gate: Gate;
  /** Prepares for interruptions by the cloud. Comes first in a plan, because the cloud does not wait. */
  readonly announced: Resource;
  /** Makes a start of K3s wait while K3s is stopped for an interruption by the cloud. */
  startable(resource: Resource): Resource;
  /** Returns what reports and shows a hold, and takes back a cordon that nothing needs. */
  shown(service: Resource, ready: Resource): readonly Resource[];
  /** Returns what ends the turn. Comes after everything that asks the gate. */
  ended(ready: Resource): Resource;
}

/** Returns what decides when this node is interrupted, for one pass. */
export function interruptions(
  node: K3sNode,
  { cloud, turns, events: memory = eventMemory(), isByPerson = false }: InterruptionPorts,
): Interruptions {
  const events: NodeEvents = { node, cloud: cloud.events, memory };
  const turn = maintenanceGate(node, {
    isByPerson,
    memory: turns,
    obstacle: (host) => untilEventIsOver(events, host),
  });
  return {
    gate: turn.gate,
    announced: upkeep(scheduledEvents(events)),
    startable: (resource) => unlessStopped(events, resource),
    shown: (service, ready) => [
      holdReported(node),
      upkeep(holdShown(node, [service.id])),
      upkeep(cordonReturned(node, [ready.id], async (found, host) => keepsCordon(events, found, host))),
    ],
    ended(ready) {
      const ending = turnEnded(node, { gate: turn, takenBack: upgradeTakenBack }, [ready.id]);
      return heldBack(ending, async (host) => untilEventIsOver(events, host));
    },
  };
}
