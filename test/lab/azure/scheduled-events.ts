/**
 * The emulated Scheduled Events of Azure: /metadata/scheduledevents, one document for all VMs of an availability set.
 *
 * Models "Azure Metadata Service: Scheduled Events for Linux VMs" (azure-compute-docs, scheduled-events.md): the form
 * of the document, StartRequests, that the first request switches the service on for a VM, that an acknowledgement
 * lets an event begin for all its VMs, and 400 for an unknown event. Deliberately stricter: one api-version, and no
 * unknown fields in an acknowledgement.
 */
import { randomUUID } from 'node:crypto';
import type { Incoming, Reply } from './loopback.ts';

/** An event, as the document shows it. */
export interface ScheduledEvent {
  readonly EventId: string;
  readonly EventType: string;
  readonly ResourceType: 'VirtualMachine';
  readonly Resources: readonly string[];
  readonly EventStatus: 'Scheduled' | 'Started';
  readonly NotBefore: string;
  readonly Description: string;
  readonly EventSource: 'Platform' | 'User';
  readonly DurationInSeconds: number;
}

export const eventTypes = ['Freeze', 'Reboot', 'Redeploy', 'Preempt', 'Terminate'] as const;

/** The event that a test announces; by default, the platform is its source. */
export interface Announcement {
  readonly type: (typeof eventTypes)[number];
  /** The names of the VMs. */
  readonly vms: readonly string[];
  /** The seconds until the event begins; by default, the minimum that Azure documents. */
  readonly notice?: number;
  readonly source?: 'Platform' | 'User';
  /** The expected length in seconds; -1 if it is unknown. */
  readonly duration?: number;
}

const leastNotice = { Freeze: 900, Reboot: 900, Redeploy: 600, Preempt: 30, Terminate: 300 } as const;

const version = '2020-07-01';

export class ScheduledEvents {
  /** The VMs for which a request has switched the service on. */
  readonly on = new Set<string>();
  /** The ids that were acknowledged, in order. */
  readonly acknowledged: string[] = [];
  events: readonly ScheduledEvent[] = [];
  #incarnation = 1;
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Announces an event, and returns its id. */
  announce({ type, vms, notice = leastNotice[type], source = 'Platform', duration }: Announcement): string {
    const event: ScheduledEvent = {
      EventId: randomUUID().toUpperCase(),
      EventType: type,
      ResourceType: 'VirtualMachine',
      Resources: vms,
      EventStatus: 'Scheduled',
      NotBefore: new Date(this.#now() + notice * 1_000).toUTCString(),
      Description: `${type} of the lab`,
      EventSource: source,
      DurationInSeconds: duration ?? (type === 'Freeze' ? 5 : -1),
    };
    this.#change([...this.events, event]);
    return event.EventId;
  }

  /** Lets an event begin. */
  begin(id: string): void {
    this.#change(
      this.events.map((event) =>
        event.EventId === id ? { ...event, EventStatus: 'Started', NotBefore: '' } : event,
      ),
    );
  }

  /** Ends or cancels an event, which removes it from the document. */
  end(id: string): void {
    this.#change(this.events.filter((event) => event.EventId !== id));
  }

  /** Answers a request of a VM. The caller has checked its headers. */
  answer({ method, url, body }: Pick<Incoming, 'method' | 'url' | 'body'>, vm: string): Reply {
    if (url.searchParams.get('api-version') !== version) {
      return refused(`api-version is invalid or was not specified in the request; this lab has ${version}`);
    }
    this.on.add(vm);
    if (method === 'GET') {
      return { status: 200, body: { DocumentIncarnation: this.#incarnation, Events: this.events } };
    }
    return method === 'POST'
      ? this.#acknowledge(body)
      : { status: 405, body: { error: 'Method not allowed' } };
  }

  #acknowledge(body: string): Reply {
    const ids = startRequests(body);
    if (ids === undefined) {
      return refused('the body is not a list of StartRequests');
    }
    const unknown = ids.find((id) => !this.events.some(({ EventId }) => EventId === id));
    if (unknown !== undefined) {
      return refused(`the event ${unknown} does not exist`);
    }
    for (const id of ids) {
      this.acknowledged.push(id);
      this.begin(id);
    }
    return { status: 200, body: '' };
  }

  #change(events: readonly ScheduledEvent[]): void {
    this.events = events;
    this.#incarnation += 1;
  }
}

/** Returns the ids in `{"StartRequests": [{"EventId": "..."}]}`; `undefined` for any other text. */
function startRequests(body: string): readonly string[] | undefined {
  let found: unknown;
  try {
    found = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { StartRequests: requests, ...rest } = Object(found);
  if (!Array.isArray(requests) || requests.length === 0 || Object.keys(rest).length > 0) {
    return undefined;
  }
  const ids = requests.map((each) =>
    Object.keys(Object(each)).join() === 'EventId' ? each.EventId : undefined,
  );
  return ids.every((id) => typeof id === 'string') ? ids : undefined;
}

function refused(why: string): Reply {
  return { status: 400, body: { error: `Bad request. ${why}` } };
}
