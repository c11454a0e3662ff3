import { sha256 } from '../../engine/digest.ts';
import { ticksOf } from './cron-ticks.ts';

/** The times at which one VM of a fleet renews its credentials, so that the VMs do not all renew at once. */
export interface RotationSchedule {
  /** Milliseconds between a tick of the schedule and the renewal of this VM. */
  readonly delay: number;
  /**
   * Returns the time of this VM's next renewal, later than `after` by at most `within` milliseconds; times are in epoch
   * milliseconds. If the schedule does not have a tick in every period of that length, this VM renews once in each slot
   * of `within` milliseconds.
   */
  readonly next: (after: number, within: number) => number;
}

/**
 * The limit of `delay` in milliseconds: two hours, so that a nightly schedule stays near the hour that the operator
 * chose.
 */
const longestDelay = 2 * 3_600_000;

/**
 * Returns the schedule of one VM: the ticks of a cron schedule (five fields, UTC), each delayed by a constant time. The
 * delay is shorter than two hours and shorter than the time between two ticks.
 */
export function rotationSchedule(schedule: string, vmId: string): RotationSchedule {
  const tickAfter = ticksOf(schedule);
  const period = periodOf(tickAfter);
  const delay = spreadOf(vmId, Math.min(period, longestDelay));
  return {
    delay,
    next(after, within) {
      const tick = within < period ? Number.POSITIVE_INFINITY : tickAfter(after - delay) + delay;
      return tick <= after + within ? tick : slotAfter(after, within, spreadOf(vmId, within));
    },
  };
}

/** The limit of the search for the next backup, in milliseconds: a schedule may have one tick in a leap year. */
const longestSearch = 9 * 366 * 24 * 3_600_000;

/**
 * Returns a function that finds the next time of this VM after a time: the first tick of a cron schedule (five fields,
 * UTC), delayed by a constant time. The delay is shorter than two hours and shorter than the time between two ticks.
 */
export function delayedTicks(schedule: string, vmId: string): (after: number) => number {
  const tickAfter = ticksOf(schedule, longestSearch);
  const delay = spreadOf(vmId, Math.min(periodOf(tickAfter), longestDelay));
  return (after) => tickAfter(after - delay) + delay;
}

/** Returns a VM's constant offset in milliseconds, below `window`. The offsets of a fleet's VMs are spread evenly. */
export function spreadOf(vmId: string, window: number): number {
  return Math.floor((Number.parseInt(sha256(vmId).slice(0, 8), 16) / 2 ** 32) * window);
}

/**
 * Returns the milliseconds between the first two ticks after the epoch; infinity if one of these ticks is more than a
 * day after the previous one or the epoch.
 */
function periodOf(tickAfter: (time: number) => number): number {
  const first = tickAfter(0);
  const next = tickAfter(first);
  return first < next ? next - first : Number.POSITIVE_INFINITY;
}

function slotAfter(time: number, length: number, place: number): number {
  return (Math.floor((time - place) / length) + 1) * length + place;
}
