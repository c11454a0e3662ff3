import { byActingServer } from '../acting.ts';
import type { Cloud } from '../clouds/cloud.ts';
import type { HostReader } from '../engine/host.ts';
import type { Resource } from '../engine/resource.ts';
import type { LeaseMemory } from '../kubernetes/lease.ts';
import { isServer, type K3sNode, mayActForCluster } from '../node.ts';
import { heldBack, upkeep } from '../resources/combinators.ts';
import { type Gate, unlessCopying, upgradeTakenBack, upgradeUndone } from './k3s/index.ts';
import {
  cordonReturned,
  type EventMemory,
  eventMemory,
  goneNodes,
  turns as granting,
  holdReported,
  holdShown,
  keepsCordon,
  maintenanceGate,
  type NodeEvents,
  noticeRemoved,
  rebooted,
  rebootGivenUp,
  scheduledEvents,
  type TurnMemory,
  turnEnded,
  unlessStopped,
  untilEventIsOver,
  vmIdShown,
} from './maintenance/index.ts';

/** What this process knows, from which it decides when the node is interrupted. */
export interface InterruptionPorts {
  readonly cloud: Cloud;
  /** What this process has seen of the turns of the fleet. */
  readonly turns: TurnMemory;
  /** What this process has seen of the Lease that decides which server acts for the cluster. */
  readonly acting: LeaseMemory;
  /** What this process has seen of the events of the cloud, if it asks for them. */
  readonly events?: EventMemory;
  /** True if a person requested the interruptions of this pass, as with `slipway apply --restart`. */
  readonly isByPerson?: boolean;
}

/** Decides when a node is interrupted, and cleans up afterwards. */
export interface Interruptions {
  /** The gate before each interruption by Slipway. */
  readonly gate: Gate;
  /** Prepares for interruptions by the cloud. Comes first in a plan, because the cloud does not wait. */
  readonly announced: Resource;
  /** Makes a start of K3s wait while K3s is stopped for an interruption by the cloud. */
  startable(resource: Resource): Resource;
  /**
   * Returns the Resources that report a hold, show the hold and the id of the VM on the Node, and remove a cordon that
   * nothing needs.
   */
  shown(service: Resource, ready: Resource): readonly Resource[];
  /** Returns the Resource about a reboot of the machine, in its place in the plan. */
  reboot(needs: readonly string[]): RebootSteps;
  /**
   * On a server, the Resources that grant turns and remove an outdated notice of a rotation; on the server that acts
   * for the cluster, also the one that removes Nodes.
   */
  readonly ofFleet: readonly Resource[];
  /** Returns the Resource that ends the turn. Comes after everything that asks the gate. */
  ended(ready: Resource): Resource;
}

/** The Resource about a reboot, in one of its two places in the plan. */
export interface RebootSteps {
  /** The reboot that Slipway performs. Comes before the upgrade of K3s, which waits for the reboot. */
  readonly first: readonly Resource[];
  /**
   * The report of a reboot that a person must perform. Comes after everything else about maintenance, which it must not
   * hide.
   */
  readonly last: readonly Resource[];
}

/** Returns the gate and the Resources for interruptions of this node, for one pass. */
export function interruptions(
  node: K3sNode,
  { cloud, turns, acting, events: memory = eventMemory(), isByPerson = false }: InterruptionPorts,
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
      upkeep(vmIdShown(node, [service.id])),
      upkeep(cordonReturned(node, [ready.id], async (found, host) => keepsCordon(events, found, host))),
    ],
    reboot(needs) {
      const whole = [upkeep(unlessCopying(node, rebooted(node, turn.gate, needs)))];
      return node.settings.maintenance.reboot === 'auto'
        ? { first: whole, last: [] }
        : { first: [], last: whole };
    },
    ofFleet: [
      ...(isServer(node) ? [granting(node, turns), upkeep(noticeRemoved(node))] : []),
      ...(mayActForCluster(node) ? [upkeep(byActingServer(node, acting, goneNodes(node, turns)))] : []),
    ],
    ended(ready) {
      const ending = turnEnded(node, { gate: turn, takenBack, undone: upgradeUndone }, [ready.id]);
      return heldBack(ending, async (host) => untilEventIsOver(events, host));
    },
  };
}

/** Returns why the node undid or gave up the change for which it was interrupted; `undefined` if it did not. */
async function takenBack(host: HostReader, node: K3sNode, digest: string): Promise<string | undefined> {
  return (await upgradeTakenBack(host, node, digest)) ?? (await rebootGivenUp(host, node, digest));
}
