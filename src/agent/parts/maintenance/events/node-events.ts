import type { CloudEvent, CloudEvents } from '../../../clouds/events.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import type { ApiNode } from '../../k3s/index.ts';
import { cordonOf } from '../drain/cordon-mark.ts';
import { isBegun, readTurn } from '../turn/annotations.ts';
import { type Duty, dutyOf, inOrder, type Moment } from './judgement.ts';
import { type EventMemory, knownEvents } from './memory.ts';
import { eventWords, isEventReason } from './words.ts';

/** The events of one node. */
export interface NodeEvents {
  readonly node: K3sNode;
  /** The announcements of the cloud; `undefined` if it announces nothing. */
  readonly cloud: CloudEvents | undefined;
  readonly memory: EventMemory;
}

/** An event, and what the node does about it now. */
export interface EventDuty {
  readonly event: CloudEvent;
  readonly duty: Duty;
}

/** Returns the known events of this node, the next first, with its duties by `maintenance.scheduledEvents`. */
export function eventDuties(
  { node, cloud, memory }: NodeEvents,
  host: Pick<HostReader, 'now' | 'monotonic'>,
): readonly EventDuty[] {
  const { scheduledEvents, windows } = node.settings.maintenance;
  if (scheduledEvents === 'off' || cloud === undefined) {
    return [];
  }
  const monotonic = host.monotonic();
  const { started, acknowledged, isFree = false } = memory;
  const moment: Moment = { windows, isFree, now: host.now(), monotonic, started, acknowledged };
  return inOrder(knownEvents(memory, monotonic) ?? []).map((event) => ({
    event,
    duty: scheduledEvents === 'drain' ? dutyOf(event, moment) : 'report',
  }));
}

/** True if the node is emptied for this duty, or kept empty. */
export function empties({ duty }: EventDuty): boolean {
  return duty === 'prepare' || duty === 'keepAway';
}

/**
 * Returns the wait for the end of an event that empties the node; `undefined` without one. No turn begins or ends
 * meanwhile: its drain would have another limit, and its end would remove the cordon.
 */
export function untilEventIsOver(events: NodeEvents, host: HostReader): Finding | undefined {
  const found = eventDuties(events, host).find(empties);
  return (
    found &&
    waiting('EventScheduled', `It waits until an event of the cloud is over: ${eventWords(found.event)}.`, {
      isExpected: true,
      blocks: false,
      after: 30_000,
    })
  );
}

/**
 * True while this node keeps its cordon: in its turn, or before and during an event. A process that does not know the
 * events yet, or that does not ask for them, such as a plan, keeps a cordon that was made for an event.
 */
export function keepsCordon(events: NodeEvents, found: ApiNode, host: HostReader): boolean {
  if (isBegun(readTurn(found.metadata?.annotations ?? {})) || eventDuties(events, host).some(empties)) {
    return true;
  }
  const { node, cloud, memory } = events;
  const isAbout = cloud !== undefined && node.settings.maintenance.scheduledEvents === 'drain';
  const known = knownEvents(memory, host.monotonic());
  const isUnknown =
    !memory.isWatched || known === undefined || (known.length > 0 && memory.isFree === undefined);
  return isAbout && isUnknown && isEventReason(cordonOf(found).mark?.why);
}
