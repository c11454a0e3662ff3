/**
 * How much an error or a finding matters: whether dependants wait, and what ends it.
 *
 * What `time` ends has a condition that is False once it has had its time; what only a `person` ends, at once. An error of
 * the first kind is tried again soon, one of the second about every ten minutes, for ever, since people repair a cloud
 * without touching the VM. A finding says itself when to look again.
 */
export interface Severity {
  /** False where what is there still works: dependants go on. */
  readonly blocks: boolean;
  readonly endedBy: 'time' | 'person';
}

/** Dependants wait until a person has repaired it. */
export const forPerson = { blocks: true, endedBy: 'person' } as const satisfies Severity;

/** For a person to see to, while dependants go on. */
export const advisory = { blocks: false, endedBy: 'person' } as const satisfies Severity;
