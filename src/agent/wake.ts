import { describe } from './engine/describe.ts';
import type { Outcome } from './engine/resource.ts';

const second = 1_000;
/**
 * The longest time between two passes, in milliseconds. A pass finds drift that no event reports, such as a file that
 * an operator edited.
 */
const resync = 300 * second;
const shortest = 1 * second;
/** Checks that are due within this time after the first due check share its pass; milliseconds. */
const together = 1 * second;

export interface Wake {
  /** When the next pass begins, in epoch milliseconds. */
  readonly at: number;
  readonly because: string;
}

/**
 * Returns the time of the next pass, and the reason for it. After a change, the time is now, to verify the change.
 * Otherwise, it is the time of the first due check, delayed by up to a second to include more due checks, but at least
 * a second and at most about five minutes from now.
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
