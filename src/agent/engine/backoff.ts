import type { NodeError, Retry } from './errors.ts';
import type { Pacing } from './resource.ts';

const second = 1_000;
const firstDelay = 2 * second;
/** With its jitter, and the ten seconds for which a request may hang, within a minute of the end of an outage. */
const longestSoon = 40 * second;
/**
 * The number of failures after which a condition is False even if time may end them: about five minutes of doubling
 * delays.
 */
const patience = 12;
const slowDelay = 600 * second;
const jitter = 0.2;

export interface NextAttempt {
  /** Milliseconds from now. */
  readonly after: number;
  /** True if it is reported as failed: only a person ends it, or its time is over. */
  readonly isFailed: boolean;
}

/**
 * Returns when to try again after `failures` in a row (1 is the first).
 *
 * The delay of a failure that time may end doubles from 2 s to 40 s, or to its own longest, and stays there. With a
 * pacing it follows that, and is ten minutes once its attempts are used up, as for a failure that only a person ends.
 * `random` is in [0, 1) and spreads delays by a fifth either way, never below a Retry-After.
 */
export function nextAttempt(
  failures: number,
  { endedBy, retry }: Pick<NodeError, 'endedBy' | 'retry'>,
  pacing: Pacing | undefined,
  random: number,
): NextAttempt {
  const allowed = pacing?.attempts ?? patience;
  const needsPerson = endedBy === 'person';
  const isFailed = needsPerson || failures >= allowed;
  const delay = needsPerson || (isFailed && pacing) ? slowDelay : soon(failures, retry, pacing);
  const spread = delay * (1 + jitter * (2 * random - 1));
  return { after: Math.round(Math.max(spread, retry.after ?? 0)), isFailed };
}

function soon(failures: number, { longest = longestSoon }: Retry, pacing: Pacing | undefined): number {
  return pacing?.every ?? doubled(failures, firstDelay, longest);
}

/** Returns a delay that doubles with each failure in a row (1 is the first) up to `longest`, in its unit. */
export function doubled(failures: number, first: number, longest: number): number {
  return Math.min(first * 2 ** (failures - 1), longest);
}

/** A failed attempt, and the time of the next one; epoch milliseconds. */
export interface Held {
  readonly since: number;
  readonly notBefore: number;
}

/**
 * True until the next attempt may be made, or `longer` milliseconds after that. A clock that was set back does not
 * prolong a wait.
 */
export function isHeld({ since, notBefore }: Held, now: number, longer = 0): boolean {
  return since <= now && now < notBefore + longer;
}

/** Returns the wait of an answer's Retry-After (RFC 9110, section 10.2.3: seconds, or a date), ten minutes at most. */
export function soonAfter({ headers }: Answered, now: number): Retry {
  const asked = headers['retry-after']?.trim() ?? '';
  const after = /^\d+$/.test(asked) ? Number(asked) * second : Date.parse(asked) - now;
  if (Number.isNaN(after)) {
    return {};
  }
  return { after: Math.min(Math.max(0, after), slowDelay) };
}

interface Answered {
  readonly headers: { readonly 'retry-after'?: string | undefined };
}
