import { isAtWish } from './at-wish.ts';
import type { Fleet } from './fleet.ts';
import type { FleetNode } from './fleet-node.ts';
import { isCordoned, isCordonedByUs, isInTurn, readyOf } from './node-object.ts';

/**
 * Returns a function that returns the promise that the fleet breaks now; `undefined` if it keeps all of them, or if
 * nothing has happened since the last call. Judges by what happens on the machines and in the cluster, never by the
 * ledger.
 */
export function promises(fleet: Fleet): () => string | undefined {
  let judged = -1;
  return () => {
    const now = fleet.trace.count + fleet.api.objects.revision();
    const isNew = now !== judged;
    judged = now;
    return isNew ? broken(fleet) : undefined;
  };
}

function broken(fleet: Fleet): string | undefined {
  for (const { node } of fleet.daemons) {
    if (node.interruption !== undefined && isBack(node)) {
      node.interruption = undefined;
      node.turn = isInTurn(node.object) ? node.turn : undefined;
    }
  }
  return (
    fleet.brokenPromise ??
    repeated(fleet) ??
    rebootedTwice(fleet) ??
    unasked(fleet) ??
    tooMany(fleet) ??
    withoutNewToken(fleet) ??
    withoutQuorum(fleet) ??
    lostCordon(fleet) ??
    defect(fleet)
  );
}

/** True once K3s serves again, the API knows it, and no cordon of Slipway is left. */
function isBack({ k3s, kubelet, object }: FleetNode): boolean {
  const isUp = k3s.state === 'active' && kubelet.reportedStart === k3s.starts;
  return isUp && (object === undefined || (readyOf(object) === 'True' && !isCordonedByUs(object)));
}

/**
 * Finds a bad release that a node tried again or, unless an older ledger was restored or a person let the nodes
 * continue, that a second node tried.
 */
function repeated({ daemons, ledger, continues }: Fleet): string | undefined {
  const tried = daemons.map(({ node }) => node).filter(({ k3s }) => k3s.badAttempts > 0);
  const again = tried.find(({ k3s }) => k3s.badAttempts > 1);
  if (again !== undefined) {
    return `${again.name} tries a release again that did not come up`;
  }
  const isOnce = tried.length <= 1 + continues || ledger.isRestored;
  return isOnce ? undefined : `several nodes try a release that did not come up: ${namesOf(tried)}`;
}

function rebootedTwice({ daemons }: Fleet): string | undefined {
  const found = daemons.find(({ node }) => node.reboots.isRepeated)?.node;
  return found && `${found.name} reboots again for the same cause`;
}

/** Finds a node that Slipway interrupts without a turn, although the interruption is not a repair. */
function unasked({ daemons }: Fleet): string | undefined {
  const found = daemons.find(
    ({ node: { interruption } }) => interruption && !interruption.repairs && interruption.turn === undefined,
  );
  return found && `${found.node.name} is interrupted by ${found.node.interruption?.by} without a turn`;
}

/**
 * Finds more interruptions at once than the settings allow. Repairs of agents do not count. A server for which the API
 * has been silent may be repaired while others are interrupted, because it cannot see them or get a turn.
 */
function tooMany({ daemons, concurrency }: Fleet): string | undefined {
  const interrupted = daemons.map(({ node }) => node).filter(({ interruption }) => interruption);
  const servers = interrupted.filter(({ role }) => role === 'server');
  const agents = interrupted.filter(({ role, interruption }) => role === 'agent' && !interruption?.repairs);
  const [, ...later] = servers.toSorted((one, other) => sinceOf(one) - sinceOf(other));
  if (later.some(({ interruption }) => interruption?.repairs !== 'a silent API')) {
    return `two servers are interrupted at once: ${namesOf(servers)}`;
  }
  if (agents.length > concurrency) {
    return `${agents.length} agents are interrupted at once, ${concurrency} may be: ${namesOf(agents)}`;
  }
  const drained = agents.filter(({ interruption }) => interruption?.by === 'a cordon');
  const inTurn = servers.filter(({ interruption }) => !interruption?.repairs);
  return inTurn.length > 0 && drained.length > 0
    ? `${namesOf(inTurn)} is interrupted while ${namesOf(drained)} is drained`
    : undefined;
}

/**
 * Finds a server that Slipway interrupts before all Ready servers have the token to which the datastore that they share
 * belongs. A server that registers its Node only after the turn was granted does not count: the granter could not see
 * it, and at any check before the interruption, it might register a moment later. It goes on to serve, takes the token
 * within a pass, and gets it before K3s starts again (`startRepaired`).
 */
function withoutNewToken({ daemons, ledger }: Fleet): string | undefined {
  const servers = daemons.map(({ node }) => node).filter(({ passwords }) => passwords);
  const next = servers.find(({ interruption }) => interruption && !interruption.repairs);
  const lacking = servers.find(
    (node) =>
      node.object &&
      readyOf(node.object) === 'True' &&
      !node.passwords?.isPrepared() &&
      ledger.wasKnown(node, next?.interruption?.turn),
  );
  return next && lacking && `${next.name} is interrupted before ${lacking.name} has the new join token`;
}

/** The milliseconds for which a server may be away before another one may no longer begin its turn. */
const unseen = 400_000;

/** Finds a server that Slipway interrupts in its turn although another one has been away for long. */
function withoutQuorum({ daemons }: Fleet): string | undefined {
  const servers = daemons.map(({ node }) => node).filter(({ passwords }) => passwords);
  const away = servers.find(({ awaySince, interruption }) => awaySince !== undefined && !interruption);
  const next = servers.find(
    ({ interruption }) =>
      interruption && !interruption.repairs && interruption.since - (away?.awaySince ?? Infinity) > unseen,
  );
  return away && next && `${next.name} is interrupted while ${away.name} is away`;
}

function sinceOf({ interruption }: FleetNode): number {
  return interruption?.since ?? 0;
}

function namesOf(nodes: readonly FleetNode[]): string {
  return nodes.map(({ name }) => name).join(', ');
}

/** Finds a cordon of a person that Slipway has removed. */
function lostCordon({ daemons }: Fleet): string | undefined {
  const found = daemons.find(
    ({ node: { isCordonedByPerson, object } }) => isCordonedByPerson && object && !isCordoned(object),
  );
  return found && `the cordon of a person on ${found.node.name} is gone`;
}

/** Finds a defect that a pass reports. */
function defect({ daemons }: Fleet): string | undefined {
  const found = daemons.find((daemon) => daemon.defect !== undefined);
  return found && `${found.node.name}: ${found.defect}`;
}

/** True if every node has what is wished, and no turn and no cordon of Slipway is left. */
export function isSettled(fleet: Fleet): boolean {
  return fleet.daemons.every(({ node }) => isAtWish(fleet, node)) && leftCordon(fleet) === undefined;
}

/** Returns what is wrong at the end of a run, when no fault has happened for a long time. */
export function wrongAtEnd(fleet: Fleet): string | undefined {
  const late = fleet.daemons.find((daemon) => {
    const says = daemon.conditions.some(
      ({ type, status, reason }) => type !== 'Ready' && status !== 'True' && reason !== 'Blocked',
    );
    return !isAtWish(fleet, daemon.node) && (!says || mustEnd(fleet));
  });
  if (late === undefined) {
    return leftCordon(fleet);
  }
  const said = fleet.daemons.flatMap(({ node, conditions }) =>
    conditions.map(({ type, status, reason, message }) =>
      status === 'True' && type !== 'Turns' ? '' : `\n  ${node.name} ${type} ${status} ${reason} ${message}`,
    ),
  );
  const minutes = Math.round(fleet.quietFor / 60_000);
  return `${late.node.name} is not at the wish, ${minutes} minutes after the last fault${said.join('')}`;
}

/** True if no fault excuses a node that does not get its wish. */
export function mustEnd(fleet: Fleet): boolean {
  return fleet.mustEnd && !fleet.daemons.some(({ node }) => node.mayHaveFailed);
}

function leftCordon({ daemons }: Fleet): string | undefined {
  const left = daemons.find(({ node: { object } }) => object && isCordonedByUs(object))?.node;
  return left && `a cordon of Slipway is left on ${left.name}`;
}
