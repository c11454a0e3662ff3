import type { Host } from './core/host.ts';

/** What ends a sleep before its time. A wake carries no data, and one that comes while nobody sleeps is not lost. */
export interface Alarm {
  ring(by: string): void;
  /** Sleeps until so many epoch milliseconds or until somebody rings, and says who did. */
  sleepUntil(host: Pick<Host, 'now' | 'sleep'>, at: number): Promise<readonly string[]>;
}

export function alarm(): Alarm {
  let rung: readonly string[] = [];
  let sleeper = new AbortController();
  return {
    ring(by) {
      rung = [...rung.filter((each) => each !== by), by];
      sleeper.abort();
    },
    async sleepUntil(host, at) {
      const pause = at - host.now();
      if (rung.length === 0 && pause > 0) await host.sleep(pause, sleeper.signal);
      const by = rung;
      rung = [];
      sleeper = new AbortController();
      return by;
    },
  };
}
