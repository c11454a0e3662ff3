import type { NodeError, Retry } from './errors.ts';
import type { Pacing } from './resource.ts';

const second = 1_000;
const firstDelay = 2 * second;
/**
 * The longest delay while time may end a failure. Even with jitter and a request that hangs for ten seconds, an attempt
 * ends within a minute after an outage has ended.
 */
const longestSoon = 40 * second;
/**
 * The number of failures in a row after which a condition is False although time may still end the failure. With
 * doubling delays, that many failures take about five minutes.
 */
const patience = 12;
const slowDelay = 600 * second;
const jitter = 0.2;

export interface NextAttempt {
  /** The delay before the next attempt, in milliseconds. */
  readonly after: number;
  /** True if the condition reports a failure: only a person can end the failure, or the attempts are used up. */
  readonly isFailed: boolean;
}

/**
 * Returns the delay before the next attempt after `failures` failures in a row (at least 1), and whether the condition
 * now reports a failure.
 *
 * While time may end the failure, the delay doubles from 2 s to 40 s, or to the limit in the error's `retry`; a pacing
 * sets a constant delay instead. The delay is ten minutes once the attempts of a pacing are used up, or if only a
 * person can end the failure and the error sets no limit. `random` in [0, 1) varies the delay by up to a fifth, but
 * never below a Retry-After.
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
  const isSlow = needsPerson ? retry.longest === undefined : isFailed && pacing !== undefined;
  const delay = isSlow ? slowDelay : soon(failures, retry, pacing);
  const spread = delay * (1 + jitter * (2 * random - 1));
  return { after: Math.round(Math.max(spread, retry.after ?? 0)), isFailed };
}

function soon(failures: number, { longest = longestSoon }: Retry, pacing: Pacing | undefined): number {
  return pacing?.every ?? doubled(failures, firstDelay, longest);
}

/**
 * Returns a delay that doubles with each failure in a row (1 is the first) up to `longest`; all delays have the same
 * unit.
 */
export function doubled(failures: number, first: number, longest: number): number {
  return Math.min(first * 2 ** (failures - 1), longest);
}

/** The times of a failed attempt and of the earliest next attempt, in epoch milliseconds. */
export interface Held {
  readonly since: number;
  readonly notBefore: number;
}

/**
 * True from `since` until `longer` milliseconds after `notBefore`. False before `since`, so that setting the clock back
 * does not prolong the wait.
 */
export function isHeld({ since, notBefore }: Held, now: number, longer = 0): boolean {
  return since <= now && now < notBefore + longer;
}

/**
 * Returns the delay that a Retry-After header requests, ten minutes at most (RFC 9110, section 10.2.3: seconds or a
 * date); an empty object without a valid header.
 */
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
