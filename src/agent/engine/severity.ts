/**
 * The severity of an error or a finding: whether it blocks dependants, and what can end it.
 *
 * If `time` can end the fault, the condition becomes False only after a while; if only a `person` can end it, at once.
 * An error that time can end is retried soon. An error that only a person can end is retried about every ten minutes,
 * without limit, because people repair a cloud without touching the VM; or soon, if the error sets `retry.longest`. A
 * finding sets the time of its next check itself.
 */
export interface Severity {
  /** False if the node works despite the error or finding, so dependants are not blocked. */
  readonly blocks: boolean;
  readonly endedBy: 'time' | 'person';
}

/** The severity of a fault that blocks dependants until a person repairs it. */
export const forPerson = { blocks: true, endedBy: 'person' } as const satisfies Severity;

/** The severity of a fault that a person must repair and that does not block dependants. */
export const advisory = { blocks: false, endedBy: 'person' } as const satisfies Severity;
