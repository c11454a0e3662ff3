import { endChildren } from './exec.ts';

export interface SignalHandlers {
  readonly stop: (signal: string) => void;
  readonly reload: (signal: string) => void;
  /** Milliseconds a pass may still run after it was asked to stop; all its work survives a kill. */
  readonly grace?: number;
  /** The exit code of an exit by force. */
  readonly exitCode?: number;
}

/**
 * Handles signals: SIGTERM, SIGINT and SIGQUIT stop, after five seconds by force and with every running command; SIGHUP
 * reloads.
 *
 * SIGUSR1 and SIGUSR2 have no effect: by default they would end the process, which their sender does not intend.
 * SIGQUIT must not write a core file, which would hold secrets. Node itself ignores SIGPIPE.
 *
 * Returns a function that ends the process by force in the same way, five seconds after it is called, for a stop
 * without a signal.
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
