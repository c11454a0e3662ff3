import { setTimeout as timer } from 'node:timers/promises';

/** The longest delay that a timer accepts, in milliseconds. A longer `sleep` ends early. */
export const longestTimer = 2 ** 31 - 1;

/** Resolves after `milliseconds`, or as soon as the signal is aborted. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const time = Math.min(Math.max(milliseconds, 0), longestTimer);
  try {
    await timer(time, undefined, signal && { signal });
  } catch (thrown) {
    if (!signal?.aborted) {
      throw thrown;
    }
  }
}
