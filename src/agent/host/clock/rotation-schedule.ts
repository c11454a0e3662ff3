import { sha256 } from '../../engine/digest.ts';
import { ticksOf } from './cron-ticks.ts';

/** When one VM of a fleet renews its credentials, so that they do not all ask at once. */
export interface RotationSchedule {
  /** Milliseconds by which this VM comes after each tick of the schedule. */
  readonly delay: number;
  /**
   * The first time of its own after another, at most `within` milliseconds later; epoch milliseconds. Where that is
   * too short for the schedule, time is cut into slots of that length, and the VM has its place in each.
   */
  readonly next: (after: number, within: number) => number;
}

/** An operator's hour is kept, about: a nightly schedule is not spread over the day. */
const longestDelay = 2 * 3_600_000;

/** A cron schedule (five fields, UTC) as a VM keeps it: shifted by a place of its own between two ticks. */
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

/** A VM's own place in a window: the same for ever, and even over a fleet. Milliseconds, below `window`. */
export function spreadOf(vmId: string, window: number): number {
  return Math.floor((Number.parseInt(sha256(vmId).slice(0, 8), 16) / 2 ** 32) * window);
}

/** The time from one tick to the next; infinity where a day has no two. */
function periodOf(tickAfter: (time: number) => number): number {
  const first = tickAfter(0);
  const next = tickAfter(first);
  return first < next ? next - first : Number.POSITIVE_INFINITY;
}

function slotAfter(time: number, length: number, place: number): number {
  return (Math.floor((time - place) / length) + 1) * length + place;
}
