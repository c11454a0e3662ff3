import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Change, type Drift, type Finding, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { type BootTime, bootTime } from '../boot-time.ts';
import { localVolumes } from './local-volumes.ts';
import { type DrainLimit, isOver, type Move, nextMove } from './next-move.ts';
import { type ApiPod, readOwnPods } from './pods.ts';
import { type DrainRecord, readRecord, writeRecord } from './record.ts';
import { runRound } from './round.ts';
import { type SortedPods, sortPods } from './sorted-pods.ts';
import { evicted, firstChanges, leftClause, minutes, namesOf, podCount, waitingPods } from './words.ts';

export interface DrainOptions {
  /** A text that identifies the turn, such as its nonce. Another turn and another boot begin a drain of their own. */
  readonly turn: string;
  /** True if no other node could run the pods, so that evicting them is of no use. */
  readonly nowhere: boolean;
  /** The limits for an interruption that does not wait, instead of those in `maintenance.drain`. */
  readonly limit?: Partial<DrainLimit>;
  /** The longest grace period of a pod in seconds. With it, all pods are evicted at the same time. */
  readonly grace?: number;
}

/** The end of a drain after which this node must not be interrupted in this turn. */
export interface GaveUp {
  readonly state: 'GaveUp';
  readonly reason: 'DrainGaveUp';
  /** The pods that are left, with the causes, and what a person can do. */
  readonly message: string;
}

/**
 * Returns the next step of draining this node: a drift whose remedy evicts pods, or a wait for pods that are ending or
 * that a budget protects; neither blocks a dependant. Returns `undefined` once the node may be interrupted, because no
 * pod is left to evict or because `maintenance.drain.onTimeout` accepts the pods that are left. Returns `GaveUp` if
 * that setting does not accept them.
 *
 * The node must be cordoned. After the end of the drain, the function returns the same answer for this turn without a
 * request. Throws the errors of `readApi`, but not after the time limit, so that each drain ends.
 */
export async function drainStep(
  host: HostReader,
  node: K3sNode,
  options: DrainOptions,
): Promise<Finding | GaveUp | undefined> {
  if (options.nowhere) {
    return undefined;
  }
  const time = await bootTime(host);
  const record = await readRecord(host, node.paths, options.turn, time);
  if (record?.end) {
    const { how, message } = record.end;
    return how === 'gaveUp' ? { state: 'GaveUp', reason: 'DrainGaveUp', message } : undefined;
  }
  const { turn, grace } = options;
  const drain: Drain = { node, turn, limit: limitOf(node, options), record, grace };
  const pods = await sortedPods(host, drain, time);
  if (pods instanceof NodeError) {
    return endStep(drain, drain.limit.onTimeout === 'giveUp' ? 'gaveUp' : 'wentOn', pods.message);
  }
  return findingFor(nextMove(pods, record, drain.limit, time.seconds), host, drain, pods);
}

/** One drain, and its record so far. */
interface Drain {
  readonly node: K3sNode;
  readonly turn: string;
  readonly limit: DrainLimit;
  readonly record: DrainRecord | undefined;
  readonly grace: number | undefined;
}

function limitOf({ settings }: K3sNode, { limit }: DrainOptions): DrainLimit {
  const { timeout, onTimeout } = settings.maintenance.drain;
  return { timeout, onTimeout, ...limit };
}

/** Reads and sorts the pods of the node. Returns the error of the API instead of throwing it after the time limit. */
async function sortedPods(
  host: HostReader,
  { node, record, limit }: Drain,
  { seconds }: BootTime,
): Promise<SortedPods | NodeError> {
  try {
    return sortPods(await readOwnPods(host, node), node.settings.maintenance.drain);
  } catch (thrown) {
    if (thrown instanceof NodeError && record && isOver(record, limit, seconds)) {
      return thrown;
    }
    throw thrown;
  }
}

async function findingFor(move: Move, host: HostReader, drain: Drain, pods: SortedPods): Promise<Finding> {
  const { node, record } = drain;
  switch (move.kind) {
    case 'evict': {
      const volumes = record ? [] : await localVolumes(host, node, move.pods);
      const changes = record ? [evicted(move.pods)] : firstChanges(pods, volumes);
      const summary = record
        ? `evict again: ${namesOf(move.pods)}`
        : `drain ${node.name}: evict ${podCount(move.pods.length)}${leftClause(pods)}`;
      return roundStep(drain, move.pods, { changes, summary });
    }
    case 'delete': {
      const summary = `delete ${podCount(move.pods.length)} despite their disruption budgets (maintenance.drain.onTimeout: force)`;
      const change = { ...evicted(move.pods), desired: 'deleted' };
      return roundStep(drain, move.pods, { changes: [change], summary }, true);
    }
    case 'wait':
      return wait(drain, pods, move.seconds);
    case 'end':
      return endStep(drain, move.how, waitingPods(pods, record));
  }
}

function wait({ node, record, limit }: Drain, pods: SortedPods, seconds: number): Finding {
  const isRefused = pods.toEvict.some(({ metadata: { uid } }) => record?.refused[uid] !== undefined);
  const then = {
    giveUp: 'the drain is given up',
    proceed: 'the node goes on without',
    force: 'the pods are deleted',
  };
  return waiting(
    isRefused ? 'EvictionRefused' : 'Draining',
    `${node.name} waits for ${podCount(pods.toEvict.length + pods.ending.length)}: ${waitingPods(pods, record)}. ` +
      `After ${minutes(limit)}, ${then[limit.onTimeout]} (maintenance.drain).`,
    { after: Math.ceil(seconds * 1_000), isExpected: true, blocks: false },
  );
}

/** Returns the step that records the end of the drain, so that a later check in this turn makes no request. */
function endStep(
  { node, turn, limit, record }: Drain,
  how: 'drained' | 'wentOn' | 'gaveUp',
  left: string,
): Finding {
  const summary = {
    drained: `end the drain of ${node.name}: no pod is left to evict`,
    wentOn: `end the drain of ${node.name} with pods left: ${left}`,
    gaveUp: `give up the drain of ${node.name}: ${left}`,
  }[how];
  const message = how === 'gaveUp' ? gaveUp(node, limit, left) : left;
  const change: Change = {
    field: 'drain',
    observed: 'under way',
    desired: how === 'gaveUp' ? 'given up' : 'over',
  };
  return stepOf({ changes: [change], summary }, async (host) => {
    const { boot, seconds: since } = await bootTime(host);
    const end = { how, message: message.slice(0, 2_000) };
    await writeRecord(host, node.paths, { turn, boot, since, refused: {}, ...record, end });
  });
}

function gaveUp({ name }: K3sNode, limit: DrainLimit, left: string): string {
  return (
    `Slipway gave up draining ${name} after ${minutes(limit)} at most, and lets pods on the node again. Left: ${left}. ` +
    'Give the pods another replica or a budget that allows one to go, or set maintenance.drain.onTimeout.'
  );
}

function roundStep(drain: Drain, pods: readonly ApiPod[], about: About, isForced = false): Finding {
  const { node, turn, record, grace } = drain;
  const due = record?.round !== undefined;
  return stepOf({ ...about, due }, (host) => runRound(host, { node, turn, record, pods, isForced, grace }));
}

type About = Pick<Drift, 'changes' | 'summary' | 'due'>;

/** Returns a step that blocks nothing, because K3s runs on while its pods are evicted. */
function stepOf(about: About, remedy: Drift['remedy']): Finding {
  return { state: 'Drifted', drift: { ...about, blocks: false, remedy } };
}
