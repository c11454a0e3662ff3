/** The kinds of interruptions of a VM; `other` is one that this release does not know. */
export type EventKind = 'freeze' | 'reboot' | 'redeploy' | 'preempt' | 'terminate' | 'other';

/** An interruption of this VM that its cloud has announced. */
export interface CloudEvent {
  readonly id: string;
  readonly kind: EventKind;
  /** True once the interruption has begun. */
  readonly isStarted: boolean;
  /** The earliest start, in epoch milliseconds; `undefined` once it has begun, or if it is unknown. */
  readonly notBefore: number | undefined;
  /** The expected length of the interruption in seconds; `undefined` if it is unknown. */
  readonly seconds: number | undefined;
  /** True if a user of the cloud caused the event, such as by a restart in the portal. */
  readonly isByUser: boolean;
  /** True if the event is about other VMs too, which an acknowledgement would also interrupt. */
  readonly namesOthers: boolean;
}

/** The events of this VM, and when to look again. */
export interface EventList {
  readonly events: readonly CloudEvent[];
  /** The milliseconds until the next look; fewer on a VM that the cloud may take away at short notice. */
  readonly nextAfter: number;
}

/**
 * The announcements of a cloud. The first call can switch them on for the VM, and therefore needs the consent of the
 * settings.
 */
export interface CloudEvents {
  /** Returns the events of this VM. Throws the errors of `askMetadata`. */
  list(): Promise<EventList>;
  /** Lets the interruption of an event begin, for all its VMs. Throws `UnexpectedAnswer` if the event is gone. */
  acknowledge(id: string): Promise<void>;
}
