import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, type Resource, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { type Gate, isDown, type Wish } from '../../k3s/index.ts';
import { bootTime } from '../boot-time.ts';
import { isBegun } from '../turn/annotations.ts';
import { beginStep, isExpired, offeredGrant, sightStep } from './begin.ts';
import { heldFinding, holdOf } from './hold.ts';
import { endStep, stepInTurn } from './in-turn.ts';
import { wishBefore } from './order.ts';
import { actorsFinding, otherActors } from './other-actors.ts';
import { type OwnTurn, ownTurnOrError } from './own-turn.ts';
import { isKubeletSilent, noteAnswer, oncePerCause, repair, revivesKubelet, type Silence } from './repair.ts';
import { askStep, requestFor, withdrawStep } from './request.ts';
import { isOpen, nextOpening } from './window.ts';
import { withoutAsking } from './without-asking.ts';

/** The gate of one pass. */
export interface MaintenanceGate {
  readonly gate: Gate;
  /** Returns the wishes for which the gate was asked since the last call. */
  takeWishes(): readonly Wish[];
}

export interface GateOptions {
  /** True if a person requested the restart (`slipway apply --restart`); then only a hold prevents it. */
  readonly isByPerson?: boolean;
  /** What this process has seen of the API in earlier passes. */
  readonly memory?: Silence;
  /** Returns a wait while no interruption may begin or go on, although this node could have its turn. */
  readonly obstacle?: (host: HostReader) => Finding | undefined;
}

/**
 * Makes the gate of one pass: a node is interrupted only in its turn, within the maintenance windows, after it was
 * drained if the settings say so, and not while it is held.
 *
 * The node asks for its turn by an annotation on its own Node, and a server grants it there. A turn that has begun
 * covers every restart until it ends. A restart that repairs a node needs no turn if the node cannot take one; a
 * reboot, an upgrade or a rotation of the join token never counts as a repair.
 */
export function maintenanceGate(
  node: K3sNode,
  { isByPerson = false, memory = {}, obstacle = () => undefined }: GateOptions = {},
): MaintenanceGate {
  const wishes: Wish[] = [];
  return {
    takeWishes: () => wishes.splice(0),
    async gate(host, wish) {
      if (wish.isMade || wish.givenUp !== undefined) {
        const { isKept, step } = await withoutAsking(host, node, wish);
        wishes.push(...(isKept ? [wish] : []));
        return step;
      }
      const earlier = [...wishes];
      wishes.push(wish);
      const hold = await holdOf(host, node);
      if (hold) {
        return heldFinding(hold, false);
      }
      if (wish.kind !== 'reboot' && (isByPerson || (await cannotServe(host, node)))) {
        return undefined;
      }
      return obstacle(host) ?? passing(host, node, wish, { earlier, memory });
    },
  };
}

/** True before the first start of K3s, which gives the node its identity in the cluster, and while K3s is down. */
async function cannotServe(host: HostReader, node: K3sNode): Promise<boolean> {
  return (await host.stat(node.paths.k3s.kubeletKubeconfig)) === undefined || isDown(host, node);
}

async function passing(
  host: HostReader,
  node: K3sNode,
  wish: Wish,
  { earlier, memory }: { readonly earlier: readonly Wish[]; readonly memory: Silence },
): Promise<Finding | undefined> {
  const turn = await ownTurnOrError(host, node);
  if (turn === undefined || turn instanceof NodeError) {
    return repair(host, node, wish, { trouble: turn, memory });
  }
  noteAnswer(memory);
  if (isBegun(turn)) {
    return covers(turn, wish) ? stepInTurn(host, node, turn, wish) : waitsFor(turn.state?.wish ?? '');
  }
  if (turn.state?.state === 'begun') {
    return endStep(node, turn.state, 'gaveUp', 'A person released the turn of this node.', 'TurnGivenUp');
  }
  if (isKubeletSilent(host, memory, turn.found) && revivesKubelet(wish)) {
    return oncePerCause(host, node, wish, 'kubelet has not reported for ten minutes');
  }
  const { windows } = node.settings.maintenance;
  const isClosed = !wish.outsideWindows && !wish.isUrgent && !isOpen(windows, host.now());
  const before = wishBefore(turn, wish, { isClosed, earlier });
  return before === undefined ? towardsTurn(host, node, wish, { turn, isClosed }) : waitsFor(before);
}

/** True if a turn that has begun lets the node fulfil the wish: its own wish, or any restart. */
export function covers({ state }: Pick<OwnTurn, 'state'>, { kind, name, digest }: Wish): boolean {
  if (kind === 'reboot') {
    // More packages may ask for the same reboot during its drain.
    return state?.wish === name;
  }
  return state?.digest === digest || kind !== 'upgrade';
}

/** Returns the next step of a node that is not in its turn: it asks, waits for the grant, and begins. */
async function towardsTurn(
  host: HostReader,
  node: K3sNode,
  wish: Wish,
  { turn, isClosed }: { readonly turn: OwnTurn; readonly isClosed: boolean },
): Promise<Finding | undefined> {
  const actors = await otherActors(host, node, turn.found);
  if (actors.length > 0) {
    const isAsked = turn.request?.digest === wish.digest;
    return isAsked ? withdrawStep(node, turn.request) : actorsFinding(node, actors);
  }
  const { boot } = await bootTime(host);
  const asking = askStep(node, turn, requestFor(node, wish, boot, isClosed));
  if (asking) {
    return asking;
  }
  const grant = offeredGrant(turn, wish, boot);
  if (grant === undefined) {
    return isClosed ? untilOpen(node, wish, host.now()) : untilGranted(turn, wish);
  }
  if (isClosed && !grant.now) {
    return (await sightStep(host, node, grant)) ?? untilOpen(node, wish, host.now());
  }
  if (await isExpired(host, node, grant)) {
    return expected('TurnAwaited', `The permission for "${wish.name}" ended before this node could begin.`);
  }
  return beginStep(node, wish, grant);
}

/** Returns a Resource that asks the gate, changed to report under the condition `Maintenance`. */
export function asMaintenance(resource: Resource): Resource {
  return { ...resource, condition: 'Maintenance' };
}

function waitsFor(other: string): Finding {
  return expected('TurnAwaited', `It waits for the turn of this node for "${other}".`);
}

/** Returns the wait for the next window; it is looked at again every minute, because the settings may change. */
function untilOpen({ settings }: K3sNode, { name }: Wish, now: number): Finding {
  const opening = nextOpening(settings.maintenance.windows, now);
  const when = opening === undefined ? 'no window opens soon' : `the next opens at ${isoMinute(opening)}`;
  const after = Math.max(1_000, Math.min(60_000, (opening ?? Number.POSITIVE_INFINITY) - now));
  return expected('WindowClosed', `"${name}" waits for a maintenance window: ${when}.`, after);
}

function isoMinute(time: number): string {
  return new Date(time).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
}

/** Returns the wait for the grant. After a turn that was given up, says what was in the way. */
function untilGranted({ state, stopped = [] }: OwnTurn, { name, digest }: Wish): Finding {
  if (state?.state === 'gaveUp' && state.digest === digest) {
    return waiting(state.reason ?? 'DrainGaveUp', state.message, {
      endedBy: 'person',
      blocks: false,
      after: 10_000,
    });
  }
  const why = stopped.find((each) => each.digest === digest)?.why;
  if (why !== undefined) {
    return expected(
      'TurnAwaited',
      `"${name}" gets no turn now: this node ${why}. On a server, slipway status has the command that continues.`,
    );
  }
  return expected(
    'TurnAwaited',
    `"${name}" waits until a server of the cluster lets this node be interrupted; there, slipway turn says why it waits.`,
  );
}

function expected(reason: 'TurnAwaited' | 'WindowClosed', message: string, after = 5_000): Finding {
  return waiting(reason, message, { isExpected: true, blocks: false, after });
}
