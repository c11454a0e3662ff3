import { describe } from './engine/describe.ts';
import type { Outcome } from './engine/resource.ts';

const second = 1_000;
/**
 * The longest time between two passes, in milliseconds: no event reports drift, such as a file that an operator edited.
 */
const resync = 300 * second;
const shortest = 1 * second;
/** Checks that are due within this time of the first one share its pass; milliseconds. */
const together = 1 * second;

export interface Wake {
  /** When the next pass begins, in epoch milliseconds. */
  readonly at: number;
  readonly because: string;
}

/**
 * Returns when to run the next pass, and why: at once to verify a change; otherwise when the first check is due, or
 * shortly after it to include checks that are due soon, but in a second at the earliest and in about five minutes at
 * the latest.
 */
export function nextWake(now: number, outcomes: readonly Outcome[]): Wake {
  const changed = outcomes.find((outcome) => outcome.state === 'Changed');
  if (changed) {
    return { at: now, because: `verify ${changed.resource.id}` };
  }
  const due = outcomes.map(dueOf).filter((wake) => wake !== undefined);
  const first = due.reduce((a, b) => (b.at < a.at ? b : a), { at: now + resync, because: 'look for drift' });
  const last = Math.max(first.at, ...due.map(({ at }) => at).filter((at) => at <= first.at + together));
  return { ...first, at: Math.max(last, now + shortest) };
}

function dueOf(outcome: Outcome): Wake | undefined {
  const { status, reason, until } = describe(outcome);
  const { id } = outcome.resource;
  if (until === undefined) {
    return undefined;
  }
  return { at: until, because: status === 'True' ? `renew ${id}` : `${id} (${reason})` };
}
