import { longestTimer } from './clock.ts';

/**
 * Returns the result of `work`. After `milliseconds`, aborts the signal of `work` and rejects with `late()`.
 *
 * Rejects even if `work` never settles, since Node does not report every closed socket.
 */
export async function within<Result>(
  milliseconds: number,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(late()), Math.min(milliseconds, longestTimer));
  try {
    return await unlessAborted(deadline.signal, work(deadline.signal));
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with the result of `work`, or rejects with the signal's reason as soon as the signal is aborted. */
export function unlessAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) {
      abort();
    }
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
