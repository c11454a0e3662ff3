import type { CloudEvent, EventKind } from '../../../clouds/events.ts';

const names: Readonly<Record<EventKind, string>> = {
  freeze: 'a freeze',
  reboot: 'a reboot',
  redeploy: 'a move to another machine',
  preempt: 'the eviction of this Spot VM',
  terminate: 'the deletion of this VM',
  other: 'an interruption of an unknown kind',
};

/** Returns an event in words, such as `a reboot, not before 2026-01-01T00:15:00Z`. */
export function eventWords({ kind, isStarted, notBefore, seconds, isByUser }: CloudEvent): string {
  const length = seconds === undefined || seconds === 0 ? '' : ` of ${seconds} s`;
  const start = notBefore === undefined ? 'at any moment' : `not before ${isoSecond(notBefore)}`;
  const by = isByUser ? ', by a user of the cloud' : '';
  return `${names[kind]}${length}${by}, ${isStarted ? 'which has begun' : start}`;
}

function isoSecond(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The beginning of each reason for a cordon before an event. */
const eventPrefix = 'event ';

/** Returns the reason for a cordon before an event, such as `event reboot`. */
export function cordonReason({ kind }: CloudEvent): string {
  return `${eventPrefix}${kind}`;
}

/** True if a reason for a cordon is that of `cordonReason`. */
export function isEventReason(why: string | undefined): boolean {
  return why?.startsWith(eventPrefix) ?? false;
}

const states = {
  observed: 'Slipway only reports it (maintenance.scheduledEvents: observe).',
  acknowledged: 'The node has let it begin.',
  early: 'The node prepares for it an hour before, or in a maintenance window.',
  ignored: 'Slipway does not prepare for it.',
  onlyServer: 'The only server of a cluster is not drained. The cloud begins at its time.',
  stopped: 'K3s is stopped for it, and starts again if the VM is still there after three minutes.',
  others: 'The node is ready, but the event is about other VMs too. The cloud begins at its time.',
  held: 'The node is held, so Slipway does not let it begin. The cloud begins at its time.',
} as const;

/** Why the node only waits for an event. */
export type EventState = keyof typeof states;

/** Returns an announced event in sentences, and why the node only waits for it. */
export function announced(event: CloudEvent, state: EventState | undefined): string {
  const why = state === undefined ? '' : ` ${states[state]}`;
  return `The cloud has announced ${eventWords(event)}.${why}`;
}
