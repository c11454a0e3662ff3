/** How long a pass may still run after it was asked to stop; everything it does survives being cut off. */
const grace = 5_000;

export interface SignalHandlers {
  readonly stop: (signal: string) => void;
  readonly reload: (signal: string) => void;
}

/** SIGTERM and SIGINT stop, at the latest after five seconds; SIGHUP reloads. */
export function onSignals({ stop, reload }: SignalHandlers): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      setTimeout(() => process.exit(0), grace).unref();
      stop(signal);
    });
  }
  process.on('SIGHUP', () => reload('SIGHUP'));
}
