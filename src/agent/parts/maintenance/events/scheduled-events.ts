import type { CloudEvents } from '../../../clouds/events.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { holdOf } from '../gate/hold.ts';
import { copyInTime, stopStarting, stopStep, stopUnanswered } from './clean-stop.ts';
import { type EventMemory, knownEvents } from './memory.ts';
import { type EventDuty, empties, eventDuties, type NodeEvents } from './node-events.ts';
import { mayGoEarly, preparation } from './prepare.ts';
import { announced, type EventState, eventWords } from './words.ts';

/**
 * Reports the interruptions of this VM that its cloud has announced, and prepares for them if
 * `maintenance.scheduledEvents` is `drain`: cordons and drains the node, and then lets the cloud begin.
 * `cordonReturned` removes the cordon after the event. Needs no turn, because the cloud does not wait for one. Never
 * asks the cloud for its events; the daemon does so between its passes (`lookForEvents`).
 */
export function scheduledEvents(events: NodeEvents): Resource {
  return neverBlocking({
    id: 'Events/cloud',
    summary: 'prepare for the interruptions that the cloud announces',
    condition: 'Maintenance',
    pacing: { attempts: 150, every: 2_000 },
    check: (host) => findingFor(host, events),
  });
}

async function findingFor(host: HostReader, events: NodeEvents): Promise<Finding> {
  const { node, cloud, memory } = events;
  if (node.settings.maintenance.scheduledEvents === 'off') {
    return inSync();
  }
  if (cloud === undefined) {
    return waiting(
      'EventsUnsupported',
      'maintenance.scheduledEvents has no effect, because this cloud announces no interruptions. Remove the setting.',
      { ...advisory, after: 600_000 },
    );
  }
  await learnFreedom(host, events);
  const due = eventDuties(events, host);
  const states = new Map<EventDuty, EventState>();
  const next = await nextStep(host, events, cloud, due, states);
  if (next) {
    return next;
  }
  if (memory.trouble?.isReported) {
    throw memory.trouble.error;
  }
  return due.length === 0 ? inSync() : reported(events, due, states);
}

/** Notes whether the node may let events begin long before their time. An API that does not answer changes nothing. */
async function learnFreedom(host: HostReader, { node, memory }: NodeEvents): Promise<void> {
  if (!knownEvents(memory, host.monotonic())?.length) {
    return;
  }
  try {
    memory.isFree = await mayGoEarly(host, node);
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
  }
}

/** Returns the next step for the events, and adds to `states` why an event only waits. */
async function nextStep(
  host: HostReader,
  events: NodeEvents,
  cloud: CloudEvents,
  due: readonly EventDuty[],
  states: Map<EventDuty, EventState>,
): Promise<Finding | undefined> {
  const { memory } = events;
  const open = due.filter(({ event }) => !memory.acknowledged.has(event.id));
  const quick = open.filter(({ event, duty }) => duty === 'acknowledge' && !event.namesOthers);
  const next = quick.find(({ event }) => !memory.refused.has(event.id));
  if (next) {
    return acknowledging(cloud, memory, next);
  }
  const first = open.find(empties);
  const step = first && (await prepared(host, events, first));
  if (typeof step === 'object') {
    return step;
  }
  if (first && step !== undefined && step !== 'ready') {
    states.set(first, step);
  }
  const ready = step === 'ready' ? first : quick[0];
  return ready && acknowledging(cloud, memory, ready);
}

/**
 * Returns the next step of the preparation for an event; `ready` once the node may let it begin; otherwise why it does
 * not, or `undefined` for an event that has begun.
 */
async function prepared(
  host: HostReader,
  events: NodeEvents,
  due: EventDuty,
): Promise<Finding | EventState | 'ready' | undefined> {
  const { node, memory } = events;
  if (memory.stopped?.id === due.event.id) {
    return 'stopped';
  }
  const isHeld = (await holdOf(host, node)) !== undefined;
  const mayStop = due.duty === 'prepare' && !isHeld;
  const stopping = mayStop ? await stopStarting(host, events, due.event) : undefined;
  if (stopping) {
    return stopping;
  }
  const found = await preparation(host, node, due).catch(unanswered(due));
  const unansweredStop =
    'isUnanswered' in found && mayStop ? await stopUnanswered(host, events, due.event) : undefined;
  if (unansweredStop) {
    return unansweredStop;
  }
  const { next: step, isOnlyServer } = found;
  const next = isOnlyServer ? copyInTime(events, due.event, step) : step;
  if (next !== undefined || due.duty !== 'prepare') {
    return next;
  }
  if (isOnlyServer) {
    return (isHeld ? undefined : await stopStep(host, events, due.event)) ?? 'onlyServer';
  }
  if (due.event.namesOthers) {
    return 'others';
  }
  return isHeld ? 'held' : 'ready';
}

/** Returns a function that turns an error of the API into a wait whose message names the event. */
function unanswered({ event }: EventDuty) {
  return (thrown: unknown) => {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
    const message = `The node cannot prepare for ${eventWords(event)}. ${thrown.message}`;
    const next = waiting(thrown.reason, message, { blocks: false, after: 2_000 });
    return { next, isOnlyServer: false, isUnanswered: true };
  };
}

/**
 * Returns the step that lets an event begin, unless it has changed in the meantime: an event that was cancelled is
 * unknown to the cloud, and one that names other VMs would interrupt them too.
 */
function acknowledging(cloud: CloudEvents, memory: EventMemory, { event }: EventDuty): Finding {
  const change = { field: `event ${event.id}`, observed: eventWords(event), desired: 'acknowledged' };
  const summary = `let the cloud begin ${eventWords(event)}`;
  const remedy = async (host: Host): Promise<void> => {
    memory.list = await cloud.list();
    const fresh = memory.list.events.find(({ id }) => id === event.id);
    if (fresh && !fresh.isStarted && !fresh.namesOthers) {
      memory.refused.add(event.id);
      await cloud.acknowledge(event.id);
      memory.acknowledged.set(event.id, host.monotonic());
    }
  };
  return { state: 'Drifted', drift: { changes: [change], summary, partial: true, remedy } };
}

function reported(
  { node, memory }: NodeEvents,
  due: readonly EventDuty[],
  states: ReadonlyMap<EventDuty, EventState>,
): Finding {
  const isObserved = node.settings.maintenance.scheduledEvents === 'observe';
  const clauses = due.map((each) => {
    const isAcknowledged = memory.acknowledged.has(each.event.id) && !each.event.isStarted;
    const known = isObserved ? 'observed' : isAcknowledged ? 'acknowledged' : states.get(each);
    return announced(each.event, known ?? stateOf(each));
  });
  return waiting('EventScheduled', clauses.join(' '), { isExpected: true, blocks: false, after: 60_000 });
}

/** Returns why the node does nothing about an event, as far as the event itself shows it. */
function stateOf({ event, duty }: EventDuty): EventState | undefined {
  if (duty !== 'report' || event.isStarted) {
    return undefined;
  }
  return event.kind === 'freeze' || event.kind === 'other' ? 'ignored' : 'early';
}
