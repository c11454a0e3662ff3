import { sha256 } from '../../engine/digest.ts';
import { ticksOf } from './cron-ticks.ts';

/** When one VM of a fleet renews its credentials, so that they do not all ask at once. */
export interface RotationSchedule {
  /** Milliseconds by which this VM comes after each tick of the schedule. */
  readonly delay: number;
  /**
   * Returns the first renewal of this VM after a time, at most `within` milliseconds later; epoch milliseconds. If
   * `within` is too short for the schedule, time is cut into slots of that length, with one renewal in each.
   */
  readonly next: (after: number, within: number) => number;
}

/** The most milliseconds of delay, so that a nightly schedule stays near the operator's hour. */
const longestDelay = 2 * 3_600_000;

/** Returns a cron schedule (five fields, UTC) for one VM: shifted by that VM's delay between two ticks. */
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

/** Returns the place of a VM in a window: constant, and spread evenly over a fleet. Milliseconds, below `window`. */
export function spreadOf(vmId: string, window: number): number {
  return Math.floor((Number.parseInt(sha256(vmId).slice(0, 8), 16) / 2 ** 32) * window);
}

/** Returns the time from one tick to the next; infinity if a day does not have two. */
function periodOf(tickAfter: (time: number) => number): number {
  const first = tickAfter(0);
  const next = tickAfter(first);
  return first < next ? next - first : Number.POSITIVE_INFINITY;
}

function slotAfter(time: number, length: number, place: number): number {
  return (Math.floor((time - place) / length) + 1) * length + place;
}
