import type { CloudEvent } from '../../../../../../src/agent/clouds/events.ts';

/** Returns an event: a reboot by the platform, fifteen minutes ahead of the clock of a new memory host. */
export function anEvent(changes: Partial<CloudEvent> = {}): CloudEvent {
  return {
    id: 'E-1',
    kind: 'reboot',
    isStarted: false,
    notBefore: Date.UTC(2026, 0, 1, 0, 15),
    seconds: undefined,
    isByUser: false,
    namesOthers: false,
    ...changes,
  };
}

/** Returns an event that has begun. */
export function begun(changes: Partial<CloudEvent> = {}): CloudEvent {
  return anEvent({ isStarted: true, notBefore: undefined, ...changes });
}
