import { describe } from './engine/describe.ts';
import type { Outcome } from './engine/resource.ts';

const second = 1_000;
/** How long drift can stand uncorrected: nothing tells us when a person edits a file. */
const resync = 300 * second;
const shortest = 1 * second;
/** What is due so soon after another waits for no pass of its own. */
const together = 1 * second;

export interface Wake {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly because: string;
}

/**
 * When to look at the world again, and why: a change is verified at once, the rest when the earliest thing is due, and
 * what is due with it.
 */
export function nextWake(now: number, outcomes: readonly Outcome[]): Wake {
  const changed = outcomes.find((outcome) => outcome.state === 'Changed');
  if (changed) return { at: now, because: `verify ${changed.resource.id}` };
  const due = outcomes.map(dueOf).filter((wake) => wake !== undefined);
  const first = due.reduce((a, b) => (b.at < a.at ? b : a), { at: now + resync, because: 'look for drift' });
  const last = Math.max(first.at, ...due.map(({ at }) => at).filter((at) => at <= first.at + together));
  return { ...first, at: Math.max(last, now + shortest) };
}

function dueOf(outcome: Outcome): Wake | undefined {
  const { status, reason, until } = describe(outcome);
  const { id } = outcome.resource;
  if (until === undefined) return undefined;
  return { at: until, because: status === 'True' ? `renew ${id}` : `${id} (${reason})` };
}
