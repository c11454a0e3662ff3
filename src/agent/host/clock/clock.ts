import { setTimeout as timer } from 'node:timers/promises';

/** The most milliseconds one timer can hold; a longer sleep ends early, and the loop checks again. */
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
