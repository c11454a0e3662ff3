/**
 * How much an error or a finding matters: whether dependants wait, and what ends it.
 *
 * What `time` ends is tried again soon, and its condition is False once it has had its time. What only a `person` ends is
 * False at once and tried again about every ten minutes, for ever, since people repair a cloud without touching the VM.
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
