/**
 * How much an error or a finding matters: whether dependants wait, and what ends it.
 *
 * A condition that `time` ends is False after a while; one that only a `person` ends, at once. An error of the first
 * kind is tried again soon, one of the second about every ten minutes, for ever, since people repair a cloud without
 * touching the VM. A finding sets the time of the next check itself.
 */
export interface Severity {
  /** False if the node works with what it has: dependants are not blocked. */
  readonly blocks: boolean;
  readonly endedBy: 'time' | 'person';
}

/** Dependants wait until a person has repaired it. */
export const forPerson = { blocks: true, endedBy: 'person' } as const satisfies Severity;

/** A person must repair it, and dependants are not blocked. */
export const advisory = { blocks: false, endedBy: 'person' } as const satisfies Severity;
