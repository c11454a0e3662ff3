import type { Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import { readyOf } from './kubelet.ts';

const minute = 60_000;

/**
 * Returns how the fleet breaks a promise now; `undefined` if it keeps all of them. Judges by what happens on the
 * machines and in the cluster, never by the ledger.
 */
export function broken(fleet: Fleet): string | undefined {
  for (const { node } of fleet.daemons) {
    if (node.interruption !== undefined && isBack(fleet, node)) {
      node.interruption = undefined;
    }
  }
  return fleet.brokenPromise ?? unasked(fleet) ?? tooMany(fleet) ?? lostCordon(fleet) ?? defect(fleet);
}

/** True once K3s serves again, the API knows it, and no cordon of Slipway is left. */
function isBack({ api }: Fleet, node: FleetNode): boolean {
  const object = api.objects.get('nodes', undefined, node.name);
  const isUp = node.k3s.state === 'active' && node.kubelet.reportedStart === node.k3s.starts;
  if (object === undefined) {
    return isUp;
  }
  return isUp && readyOf(object) === 'True' && !isCordonedByUs(fleetCordon(object));
}

function fleetCordon(object: { readonly metadata: object; readonly spec?: unknown }) {
  const annotations: Readonly<Record<string, string>> = Object(Object(object.metadata).annotations);
  return { annotations, isCordoned: Object(object.spec).unschedulable === true };
}

type Cordon = ReturnType<typeof fleetCordon>;

function isCordonedByUs({ annotations, isCordoned }: Cordon): boolean {
  return isCordoned && annotations['slipway.dev/cordon'] !== undefined;
}

/** Finds a node that is interrupted without having begun a turn. */
function unasked({ daemons }: Fleet): string | undefined {
  const found = daemons.find(
    ({ node: { interruption } }) => interruption && !interruption.isRepair && interruption.turn === undefined,
  );
  return found && `${found.node.name} is interrupted by ${found.node.interruption?.by} without a turn`;
}

/** Finds more interruptions at once than the settings allow. */
function tooMany({ daemons, concurrency }: Fleet): string | undefined {
  const interrupted = daemons
    .map(({ node }) => node)
    .filter(({ interruption }) => interruption && !interruption.isRepair);
  const servers = interrupted.filter(({ role }) => role === 'server');
  const agents = interrupted.filter(({ role }) => role === 'agent');
  if (servers.length > 1) {
    return `two servers are interrupted at once: ${namesOf(servers)}`;
  }
  if (agents.length > concurrency) {
    return `${agents.length} agents are interrupted at once, ${concurrency} may be: ${namesOf(agents)}`;
  }
  const drained = agents.filter(({ interruption }) => interruption?.by === 'a cordon');
  if (servers.length > 0 && drained.length > 0) {
    return `${namesOf(servers)} is interrupted while ${namesOf(drained)} is drained`;
  }
  return undefined;
}

function namesOf(nodes: readonly FleetNode[]): string {
  return nodes.map(({ name }) => name).join(', ');
}

/** Finds a cordon of a person that Slipway has taken back. */
function lostCordon({ api, daemons }: Fleet): string | undefined {
  for (const { node } of daemons) {
    const object = api.objects.get('nodes', undefined, node.name);
    if (node.isCordonedByPerson && object && !fleetCordon(object).isCordoned) {
      return `the cordon of a person on ${node.name} is gone`;
    }
  }
  return undefined;
}

/** Finds a defect that a pass reports. */
function defect({ daemons }: Fleet): string | undefined {
  for (const { node, outcomes } of daemons) {
    const found = outcomes.find((outcome) => 'reason' in outcome && outcome.reason === 'InternalError');
    if (found && 'message' in found) {
      return `${node.name}: ${found.message}`;
    }
  }
  return undefined;
}

/** True if every node has what is wished, and no turn and no cordon of Slipway is left. */
export function isSettled(fleet: Fleet): boolean {
  return fleet.daemons.every(({ node }) => isAtWish(fleet, node)) && leftCordon(fleet) === undefined;
}

function isAtWish({ api, wish }: Fleet, node: FleetNode): boolean {
  const { startedWith, state } = node.k3s;
  const object = api.objects.get('nodes', undefined, node.name);
  const isThere = object !== undefined && readyOf(object) === 'True';
  const { config, version } = startedWith;
  return state === 'active' && isThere && config === wish.config && version === wish.version && !node.turn;
}

/** Returns what is wrong at the end of a run, when no fault has happened for a long time. */
export function wrongAtEnd(fleet: Fleet): string | undefined {
  const cordon = leftCordon(fleet);
  if (cordon !== undefined) {
    return cordon;
  }
  for (const { node, conditions } of fleet.daemons) {
    if (isAtWish(fleet, node)) {
      continue;
    }
    const why = conditions.find(
      ({ type, status, reason }) => type !== 'Ready' && status !== 'True' && reason !== 'Blocked',
    );
    if (why === undefined || fleet.mustEnd) {
      const said = conditions.map(
        ({ type, status, reason, message }) => `\n  ${type} ${status} ${reason} ${message}`,
      );
      const since = Math.round(fleet.quietFor / minute);
      return `${node.name} is not at the wish, ${since} minutes after the last fault${said.join('')}`;
    }
  }
  return undefined;
}

function leftCordon({ api, daemons }: Fleet): string | undefined {
  for (const { node } of daemons) {
    const object = api.objects.get('nodes', undefined, node.name);
    if (object && isCordonedByUs(fleetCordon(object))) {
      return `a cordon of Slipway is left on ${node.name}: ${fleetCordon(object).annotations['slipway.dev/cordon']}`;
    }
  }
  return undefined;
}
