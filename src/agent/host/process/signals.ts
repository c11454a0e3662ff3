import { endChildren } from './exec.ts';

export interface SignalHandlers {
  readonly stop: (signal: string) => void;
  readonly reload: (signal: string) => void;
  /**
   * Milliseconds that a pass may continue after a signal to stop; by default five seconds. A pass that is killed loses
   * no work.
   */
  readonly grace?: number;
  /** The exit code of a forced exit. */
  readonly exitCode?: number;
}

/**
 * Returns a signal that SIGTERM, SIGINT, SIGQUIT and SIGHUP abort, for a command that then undoes its work. The process
 * ends by force `grace` milliseconds after the first of these signals except SIGHUP.
 */
export function abortedBySignals(grace: number): AbortSignal {
  const interrupted = new AbortController();
  const abort = () => interrupted.abort();
  onSignals({ stop: abort, reload: abort, grace, exitCode: 1 });
  return interrupted.signal;
}

/**
 * Handles signals: SIGTERM, SIGINT and SIGQUIT call `stop` and, after `grace`, end this process and every running
 * command; SIGHUP calls `reload`. Returns a function that forces the same exit after `grace`, for a stop without a
 * signal.
 *
 * SIGUSR1 and SIGUSR2 have no effect. Without a handler, SIGUSR2 would end the process, and SIGUSR1 would open a
 * debugging port if Slipway runs from source. SIGQUIT writes no core file, which would contain secrets. Node itself
 * ignores SIGPIPE.
 */
export function onSignals({ stop, reload, grace = 5_000, exitCode = 0 }: SignalHandlers): () => void {
  const exit = () => {
    endChildren();
    process.exit(exitCode);
  };
  const endSoon = () => void setTimeout(exit, grace).unref();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    process.once(signal, () => {
      endSoon();
      stop(signal);
    });
  }
  process.on('SIGHUP', () => reload('SIGHUP'));
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
    process.on(signal, () => {});
  }
  return endSoon;
}
