import type { Host } from './engine/host.ts';

/**
 * The name that `sleepUntil` returns if the time of day jumps, for example because time synchronisation corrects a
 * clock that was wrong at boot.
 */
export const clockJump = 'a jump of the clock';

/**
 * The alarm compares the time of day with the monotonic clock every `glance` milliseconds, not more often because each
 * glance wakes the process. A difference of more than `jump` milliseconds is a jump; a clock that is being slewed stays
 * below this limit.
 */
const glance = 30_000;
const jump = 5_000;

/**
 * A sleep that a call of `ring` can end early. The call passes only the name of its cause; a call while nothing sleeps
 * ends the next sleep at once.
 */
export interface Alarm {
  ring(by: string): void;
  /**
   * Sleeps until `at` (epoch milliseconds), a ring, or a jump of the clock. Returns the names of the rings, with
   * `clockJump` for a jump; an empty list at `at`.
   */
  sleepUntil(host: Clock, at: number): Promise<readonly string[]>;
}

type Clock = Pick<Host, 'now' | 'monotonic' | 'sleep'>;

export function alarm(): Alarm {
  let rung: readonly string[] = [];
  let sleeper = new AbortController();
  return {
    ring(by) {
      rung = [...rung.filter((each) => each !== by), by];
      sleeper.abort();
    },
    async sleepUntil(host, at) {
      const end = host.monotonic() + at - host.now();
      while (rung.length === 0 && host.monotonic() < end) {
        const pause = Math.min(end - host.monotonic(), glance);
        if (await isJump(host, () => host.sleep(pause, sleeper.signal))) {
          rung = [...rung, clockJump];
        }
      }
      const by = rung;
      rung = [];
      sleeper = new AbortController();
      return by;
    },
  };
}

/**
 * Runs `sleep`, and resolves to true if the time of day and the monotonic clock have drifted apart by more than five
 * seconds since the call.
 */
async function isJump(host: Clock, sleep: () => Promise<void>): Promise<boolean> {
  const before = host.now() - host.monotonic();
  await sleep();
  return Math.abs(host.now() - host.monotonic() - before) > jump;
}
