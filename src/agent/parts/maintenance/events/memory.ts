import type { CloudEvents, EventList } from '../../../clouds/events.ts';
import { NodeError } from '../../../engine/errors.ts';

/**
 * How long the cloud must be silent before its events count as over, and before the silence is reported; milliseconds.
 */
const forgotten = 600_000;
const reported = 180_000;

/** What a process has seen of the cloud's events. It is not stored: a new process asks again. */
export interface EventMemory {
  /** True if this process asks the cloud between its passes (`lookForEvents`). */
  isWatched: boolean;
  /** The last answer. */
  list: EventList | undefined;
  /** The last error, since when the cloud has not answered, by the monotonic clock, and whether that is reported. */
  trouble: { readonly error: NodeError; readonly since: number; readonly isReported: boolean } | undefined;
  /** When this process acknowledged events, by their ids and by the monotonic clock. */
  readonly acknowledged: Map<string, number>;
  /** True if this node may let an event begin long before its time; `undefined` until that is known. */
  isFree?: boolean;
  /** The ids of the events whose acknowledgement has failed, which is tried again after everything else. */
  readonly refused: Set<string>;
  /** The id of the last eviction before which the datastore could not be copied. */
  uncopied?: string;
  /** The event for which K3s was stopped, and when, by the monotonic clock. */
  stopped: { readonly id: string; readonly at: number } | undefined;
  /** Since when each event has been seen as started, by its id and by the monotonic clock. */
  readonly started: Map<string, number>;
}

/** Returns the memory of a new process. */
export function eventMemory(): EventMemory {
  return {
    isWatched: false,
    list: undefined,
    trouble: undefined,
    acknowledged: new Map(),
    refused: new Set(),
    stopped: undefined,
    started: new Map(),
  };
}

/**
 * Asks the cloud for its events, and remembers the answer. `now` is the time of the monotonic clock. Returns true if
 * there is news for a pass: the first answer, changed events, a silence to report, or the end of a reported one.
 *
 * Around a live migration, the metadata service refuses requests for up to 70 seconds, and the first answer can take
 * two minutes. So an error is no news at first.
 */
export async function lookForEvents(memory: EventMemory, cloud: CloudEvents, now: number): Promise<boolean> {
  const before = JSON.stringify(memory.list?.events);
  const { isReported: wasReported = false, since = now } = memory.trouble ?? {};
  try {
    memory.list = await cloud.list();
    memory.trouble = undefined;
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
    const isReported = now - since >= reported;
    memory.trouble = { error: thrown, since, isReported };
    return isReported && !wasReported;
  }
  noteStarts(memory, now);
  // The contents are compared, because the number of the document also counts the events of other VMs.
  return wasReported || JSON.stringify(memory.list.events) !== before;
}

function noteStarts({ list, started, acknowledged, refused }: EventMemory, now: number): void {
  const events = list?.events ?? [];
  for (const id of [...started.keys(), ...acknowledged.keys(), ...refused]) {
    if (!events.some((event) => event.id === id)) {
      started.delete(id);
      acknowledged.delete(id);
      refused.delete(id);
    }
  }
  for (const { id } of events.filter(({ isStarted }) => isStarted)) {
    started.set(id, started.get(id) ?? now);
  }
}

/**
 * Returns what is known about the events of this VM: the last answer; `undefined` before the first; an empty list after
 * a long silence, because an interruption that was announced is over by then or has ended this process.
 */
export function knownEvents({ list, trouble }: EventMemory, now: number): EventList['events'] | undefined {
  return trouble !== undefined && now - trouble.since >= forgotten ? [] : list?.events;
}

/** Forgets all events, as before the first answer. */
export function forgetEvents(memory: EventMemory): void {
  memory.list = undefined;
  memory.trouble = undefined;
}
