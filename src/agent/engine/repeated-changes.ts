import { NodeError } from './errors.ts';
import type { Drift } from './resource.ts';
import { forPerson } from './severity.ts';

/** The changes to the same fields in a row, without an in-sync check between them. */
export interface Counted {
  readonly changes: number;
  /**
   * The names of the fields that the last remedy changed. A change of other fields, by another step, starts the count
   * anew.
   */
  readonly fields?: string | undefined;
}

const changesInARow = 5;
const rest = 3_000; // milliseconds; a change that is due again sooner counts as reverted

/**
 * Counts a change at `now`; `last` has the count and the time of the last change or wait. A `due` change that comes at
 * least `rest` milliseconds after the last one resets the count to zero.
 */
export function countChanges(
  { changes, due }: Drift,
  last: (Counted & { readonly since: number }) | undefined,
  now: number,
): Counted {
  const fields = changes.map(({ field }) => field).join('\n');
  const isRepeat = !due || now < (last?.since ?? 0) + rest;
  const isSame = last?.fields === undefined || last.fields === fields;
  const before = isSame ? (last?.changes ?? 0) : 0;
  return { changes: isRepeat ? before + 1 : 0, fields };
}

/** Throws `DidNotConverge` if the same fields were changed five times before. */
export function assertConverges(drift: Drift, { changes }: Counted): void {
  if (changes <= changesInARow) {
    return;
  }
  const fields = drift.changes.map(({ field }) => field).join(', ');
  throw new NodeError(
    'DidNotConverge',
    `The same change was made ${changesInARow} times and did not hold (${fields}). Find what else writes there.`,
    forPerson,
  );
}
