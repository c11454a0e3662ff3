import { NodeError } from '../../engine/errors.ts';
import { sleep } from '../clock/clock.ts';
import { unlessAborted } from '../clock/deadline.ts';
import { shownUrl, timedOut } from './http-errors.ts';

/** The limits of a transfer that may take long, in milliseconds. */
export interface Patience {
  readonly timeout: number;
  /** The longest time without progress. */
  readonly stallAfter: number;
}

/**
 * Returns the result of `work`, which calls `moved` for each part that it moves. Rejects with `TimedOut` after the time
 * limit or after the longest time without progress, and with the signal's reason if the signal is aborted. After any
 * failure, aborts the signal of `work`, and gives `work` a second to remove what it has begun.
 */
export async function withProgress<Result>(
  url: URL,
  { timeout, stallAfter }: Patience,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal, moved: () => void) => Promise<Result>,
): Promise<Result> {
  outer?.throwIfAborted();
  const own = new AbortController();
  const late = setTimeout(() => own.abort(timedOut(url, timeout)), timeout);
  const stalled = setTimeout(() => own.abort(stalledAfter(url, stallAfter)), stallAfter);
  const signal = outer ? AbortSignal.any([own.signal, outer]) : own.signal;
  const result = work(signal, () => stalled.refresh());
  try {
    return await unlessAborted(signal, result);
  } catch (thrown) {
    own.abort(thrown);
    await settled(result);
    throw thrown;
  } finally {
    clearTimeout(late);
    clearTimeout(stalled);
  }
}

/** Resolves once the work has ended, or after a second, because Node does not report every closed socket. */
async function settled(work: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  const ended = work.then(
    () => enough.abort(),
    () => enough.abort(),
  );
  await Promise.race([ended, sleep(1_000, enough.signal)]);
}

function stalledAfter(url: URL, stallAfter: number): NodeError {
  return new NodeError(
    'TimedOut',
    `The transfer from or to ${shownUrl(url)} made no progress for ${stallAfter / 1_000} s. Check that the server runs and can be reached.`,
  );
}
