import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { jsonFault, readJson } from '../../engine/json.ts';
import { quoted, refusalOf } from '../answers.ts';
import type { CloudEvent, CloudEvents, EventKind, EventList } from '../events.ts';
import { askMetadata } from '../metadata-request.ts';
import { type InstanceMetadata, instanceMetadata } from './imds.ts';

/**
 * The milliseconds between two looks. Azure takes a Spot VM away 30 seconds after the announcement; other VMs have
 * minutes.
 */
const onSpot = 1_000;
const usually = 10_000;

const timeout = 5_000;

/**
 * Makes the announcements of Azure (azure-compute-docs, "Scheduled Events for Linux VMs"). The first call switches them
 * on for the VM, and 24 hours without a call switch them off. Reads the name of the VM only until a read succeeds.
 */
export function scheduledEvents(host: Host, imdsEndpoint: string): CloudEvents {
  const url = `${imdsEndpoint.replace(/\/+$/, '')}/metadata/scheduledevents?api-version=2020-07-01`;
  const headers = { Metadata: 'true' };
  let own: InstanceMetadata | undefined;
  return {
    async list() {
      own ??= await instanceMetadata(host, imdsEndpoint);
      const service = { cloud: 'Azure', setting: 'azure.imdsEndpoint' } as const;
      const { body } = await askMetadata(host, { url, headers, ...service });
      return eventList(body, own, url);
    },
    async acknowledge(id) {
      const body = JSON.stringify({ StartRequests: [{ EventId: id }] });
      const answer = await host.send({ method: 'POST', url, headers, body, timeout, direct: true });
      if (answer.status !== 200) {
        const { code, message } = refusalOf(answer);
        throw new NodeError(
          'UnexpectedAnswer',
          `Azure does not accept the acknowledgement of the event ${id}: it answers ${answer.status}.${quoted(message || code)} ` +
            'Without it, the interruption begins at the time that Azure has announced.',
          { blocks: false },
        );
      }
    },
  };
}

/** The part of the answer that Slipway reads. */
const eventDocument = z.object({
  Events: z.array(
    z.object({
      EventId: z.string().check(z.regex(/^[\w-]{1,100}$/)),
      EventType: z.string(),
      EventStatus: z.string(),
      Resources: z.array(z.string()),
      NotBefore: z.nullish(z.string()),
      EventSource: z.nullish(z.string()),
      DurationInSeconds: z.nullish(z.number()),
    }),
  ),
});

type AzureEvent = z.output<typeof eventDocument>['Events'][number];

/** Returns the events of this VM: an answer has those of all VMs of its availability set or placement group. */
function eventList(body: string, { name, isSpot }: InstanceMetadata, url: string): EventList {
  const { success, data, error } = readJson(eventDocument, body);
  if (!success) {
    throw new NodeError(
      'UnexpectedAnswer',
      `What answers at ${url} is not the service of scheduled events: ${jsonFault(error)}. Check azure.imdsEndpoint.`,
      { blocks: false },
    );
  }
  const isOwn = (resource: string) => resource.toLowerCase() === name.toLowerCase();
  return {
    events: data.Events.filter(({ Resources }) => Resources.some(isOwn)).map((event) => ({
      ...cloudEvent(event),
      namesOthers: !event.Resources.every(isOwn),
    })),
    nextAfter: isSpot ? onSpot : usually,
  };
}

const kinds = [
  'freeze',
  'reboot',
  'redeploy',
  'preempt',
  'terminate',
] as const satisfies readonly EventKind[];

function cloudEvent(event: AzureEvent): Omit<CloudEvent, 'namesOthers'> {
  const notBefore = Date.parse(event.NotBefore ?? '');
  const seconds = event.DurationInSeconds ?? -1;
  const kind = event.EventType.toLowerCase();
  return {
    id: event.EventId,
    kind: kinds.find((each) => each === kind) ?? 'other',
    isStarted: event.EventStatus.toLowerCase() === 'started',
    notBefore: Number.isNaN(notBefore) ? undefined : notBefore,
    seconds: seconds < 0 ? undefined : seconds,
    isByUser: event.EventSource?.toLowerCase() === 'user',
  };
}
