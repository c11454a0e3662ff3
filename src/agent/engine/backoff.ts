import type { Retry } from './errors.ts';
import type { Pacing } from './resource.ts';

const second = 1_000;
const firstDelay = 2 * second;
/** With its jitter, and the ten seconds for which a request may hang, within a minute of the end of an outage. */
const longestSoon = 40 * second;
/** Failures of the `soon` pace after which a condition is False: about five minutes of doubling delays. */
const patience = 12;
const slowDelay = 600 * second;
const jitter = 0.2;

export interface NextAttempt {
  /** Milliseconds from now. */
  readonly after: number;
  /** True where the failure counts: it will not pass by itself, or has had its time. */
  readonly counts: boolean;
}

/**
 * When to try again after so many failures in a row (1 is the first).
 *
 * `soon` doubles from 2 s to 40 s, or to its own longest, and stays there. Under a pacing it follows that, and is ten minutes away when its
 * attempts are used up; so is `slow`. `random` is in [0, 1) and spreads delays by a fifth either way, never below a Retry-After.
 */
export function nextAttempt(
  failures: number,
  retry: Retry,
  pacing: Pacing | undefined,
  random: number,
): NextAttempt {
  const allowed = pacing?.attempts ?? patience;
  const counts = retry.pace === 'slow' || failures >= allowed;
  const delay = counts && (retry.pace === 'slow' || pacing) ? slowDelay : soon(failures, retry, pacing);
  const spread = delay * (1 + jitter * (2 * random - 1));
  return { after: Math.round(Math.max(spread, retry.after ?? 0)), counts };
}

function soon(failures: number, { longest = longestSoon }: Retry, pacing: Pacing | undefined): number {
  return pacing?.every ?? Math.min(firstDelay * 2 ** (failures - 1), longest);
}
