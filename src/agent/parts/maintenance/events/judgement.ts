import type { CloudEvent } from '../../../clouds/events.ts';
import { isOpen, type MaintenanceWindow } from '../gate/window.ts';

/** What a node does about an event of its VM. */
export type Duty =
  /** The node lets it begin at once, because a wait has no use. */
  | 'acknowledge'
  /** The node is emptied, and then lets it begin. */
  | 'prepare'
  /** It has begun, so the node only keeps new pods away. */
  | 'keepAway'
  /** The node only reports it. */
  | 'report';

const hour = 3_600_000;
/** The longest freeze that is not worth any preparation, in seconds (the sample of Azure's documentation). */
const shortFreeze = 8;

/** What the duties depend on. */
export interface Moment {
  readonly windows: readonly MaintenanceWindow[];
  /** True if the node may let an event begin long before its time (`mayGoEarly`). */
  readonly isFree: boolean;
  /** The time of day in epoch milliseconds, and that of the monotonic clock. */
  readonly now: number;
  readonly monotonic: number;
  /** Since when events have been seen as started, and when they were acknowledged, by id and monotonic clock. */
  readonly started: ReadonlyMap<string, number>;
  readonly acknowledged: ReadonlyMap<string, number>;
}

/** Returns what the node does about an event now. */
export function dutyOf(event: CloudEvent, moment: Moment): Duty {
  const { kind, seconds, isStarted, isByUser } = event;
  if (kind === 'other' || isOver(event, moment)) {
    return 'report';
  }
  if (kind === 'freeze') {
    const isShort = seconds !== undefined && seconds <= shortFreeze;
    return !isStarted && (isShort || isByUser) ? 'acknowledge' : 'report';
  }
  if (isStarted) {
    return 'keepAway';
  }
  // A user who deletes a VM has asked for the notice, so only a reboot or a move is acknowledged at once.
  if (isByUser && (kind === 'reboot' || kind === 'redeploy')) {
    return 'acknowledge';
  }
  return isDue(event, moment) ? 'prepare' : 'report';
}

/**
 * True if the node prepares for an event now. An event that is announced more than an hour ahead, as for hardware that
 * degrades, waits for a maintenance window, because the acknowledgement lets it begin. A node that does not acknowledge
 * it would be empty for hours or days: one that is not free, or any node if the event names other VMs.
 */
function isDue({ notBefore, namesOthers }: CloudEvent, { windows, isFree, now }: Moment): boolean {
  const isEarly = isFree && !namesOthers && isOpen(windows, now);
  return notBefore === undefined || notBefore - now <= hour || isEarly;
}

/**
 * True for an event that began an hour ago, or that has not begun an hour after its time or after the node let it
 * begin. So no cordon stays for an event that never disappears.
 */
function isOver({ id, notBefore, isStarted }: CloudEvent, moment: Moment): boolean {
  const { now, monotonic, started, acknowledged } = moment;
  const since = (isStarted ? started : acknowledged).get(id) ?? monotonic;
  return monotonic - since >= hour || (!isStarted && notBefore !== undefined && now - notBefore >= hour);
}

/** Returns the events in the order of their starts; those that have begun come first. */
export function inOrder(events: readonly CloudEvent[]): readonly CloudEvent[] {
  const start = ({ isStarted, notBefore }: CloudEvent) => (isStarted ? 0 : (notBefore ?? 1));
  return [...events].sort((one, other) => start(one) - start(other));
}

/** The limits of a drain before an event. */
export interface EventLimit {
  /** Milliseconds until the evictions end. */
  readonly timeout: number;
  /** The longest grace period of a pod in seconds; absent for that of the pod. */
  readonly grace?: number;
}

/** The time for the last requests before an interruption, in milliseconds. */
const margin = 60_000;
/** A drain is never shorter than this, so that a wrong clock cannot skip it; milliseconds. */
const shortest = 20_000;

/**
 * Returns the limits of the drain before an event. `now` is the time of day in epoch milliseconds. `elapsed` is the
 * time since its first eviction in milliseconds, and `timeout` that of the settings. An eviction of the VM is announced
 * thirty seconds ahead, which is enough to stop each pod cleanly, and no more.
 */
export function limitOf(
  { kind, notBefore }: CloudEvent,
  now: number,
  elapsed: number,
  timeout: number,
): EventLimit {
  if (kind === 'preempt') {
    return { timeout: shortest, grace: 20 };
  }
  const left = notBefore === undefined ? shortest : notBefore - now - margin;
  return { timeout: Math.min(timeout, Math.max(elapsed + left, shortest)) };
}
