import type { CloudEvent } from '../../../clouds/events.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, type Resource, waiting } from '../../../engine/resource.ts';
import { isOnlyServer, isServer, unitName } from '../../../node.ts';
import { heldBack } from '../../../resources/combinators.ts';
import { showUnit, systemctl } from '../../../resources/unit.ts';
import { knownEvents } from './memory.ts';
import type { NodeEvents } from './node-events.ts';
import { eventWords } from './words.ts';

/** How long K3s stays stopped for an event that does not begin; milliseconds. */
const longest = 180_000;

/**
 * Returns the step that stops K3s on the only server before the eviction of its Spot VM, so that its datastore is
 * closed when the VM goes; `undefined` for any other event, and once K3s was stopped. Other interruptions leave systemd
 * the time to stop K3s.
 */
export function stopStep(
  host: HostReader,
  events: NodeEvents,
  event: CloudEvent,
): Promise<Finding | undefined> {
  return stopWhile('active', host, events, event);
}

/**
 * Returns the step that stops the K3s of a server that is still starting before the eviction of its Spot VM: its API
 * does not answer yet, so the node can neither be drained nor know whether it is the only server. Returns `undefined`
 * for any other event or state.
 */
export async function stopStarting(
  host: HostReader,
  events: NodeEvents,
  event: CloudEvent,
): Promise<Finding | undefined> {
  return isServer(events.node) ? stopWhile('activating', host, events, event) : undefined;
}

/**
 * Returns the step that `stopStep` returns for a server with SQLite whose API does not answer: only its settings show
 * that it is the only server, and the eviction does not wait for the API. Returns `undefined` for any other node, event
 * or state.
 */
export async function stopUnanswered(
  host: HostReader,
  events: NodeEvents,
  event: CloudEvent,
): Promise<Finding | undefined> {
  return isOnlyServer(events.node) ? stopWhile('active', host, events, event) : undefined;
}

async function stopWhile(
  state: 'active' | 'activating',
  host: HostReader,
  { memory }: NodeEvents,
  event: CloudEvent,
): Promise<Finding | undefined> {
  if (event.kind !== 'preempt' || memory.stopped?.id === event.id) {
    return undefined;
  }
  const unit = unitName('server');
  const { ActiveState } = await showUnit(host, unit, ['ActiveState']);
  if (ActiveState !== state) {
    return undefined;
  }
  const change = { field: unit, observed: state, desired: 'inactive' };
  const summary = `stop K3s before ${eventWords(event)}`;
  const remedy = async (changing: Host): Promise<void> => {
    memory.stopped = { id: event.id, at: changing.monotonic() };
    await changing.run(systemctl('stop', '--no-block', unit));
  };
  return { state: 'Drifted', drift: { changes: [change], summary, partial: true, remedy } };
}

/**
 * Returns the next step of a copy before an event. A copy that fails before an eviction of the VM is not tried again,
 * because K3s has to be stopped within thirty seconds.
 */
export function copyInTime(
  { memory }: NodeEvents,
  event: CloudEvent,
  next: Finding | undefined,
): Finding | undefined {
  if (event.kind !== 'preempt' || next?.state !== 'Drifted') {
    return next;
  }
  if (memory.uncopied === event.id) {
    return undefined;
  }
  const { remedy } = next.drift;
  const once = async (host: Host): Promise<void> => {
    try {
      await remedy(host);
    } catch (thrown) {
      if (!(thrown instanceof NodeError)) {
        throw thrown;
      }
      memory.uncopied = event.id;
      // Without a person to wait for, the next step follows in two seconds.
      throw new NodeError(thrown.reason, thrown.message, { blocks: false, cause: thrown });
    }
  };
  return { state: 'Drifted', drift: { ...next.drift, remedy: once } };
}

/**
 * Makes a start of K3s wait while K3s is stopped for an event: until the event is over, but at most for three minutes,
 * in case the cloud does not take the VM away. A new process starts K3s at once.
 */
export function unlessStopped({ memory }: NodeEvents, resource: Resource): Resource {
  return heldBack(resource, async (host) => {
    const { stopped } = memory;
    const now = host.monotonic();
    const isKnown = knownEvents(memory, now)?.some(({ id }) => id === stopped?.id) ?? false;
    if (stopped === undefined || !isKnown || now - stopped.at >= longest) {
      return undefined;
    }
    return waiting('EventScheduled', 'K3s is stopped for the announced eviction of this VM.', {
      isExpected: true,
      after: 5_000,
    });
  });
}
