import { createHash } from 'node:crypto';

/** A VM's own place in a window: the same for ever, and even over a fleet. Milliseconds, below `window`. */
export function spreadOf(vmId: string, window: number): number {
  const digest = createHash('sha256').update(vmId).digest();
  return Math.floor((digest.readUInt32BE(0) / 2 ** 32) * window);
}

/**
 * A five-field cron schedule moved to the VM's own second, and to its own minute where the schedule names one, so
 * that a fleet does not ask all at once. A schedule with seconds is taken as it is.
 */
export function spreadSchedule(schedule: string, vmId: string): string {
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5) return schedule;
  const [minute = '', ...rest] = fields;
  const seconds = Math.floor(spreadOf(vmId, 3_600_000) / 1_000);
  const own = /^\d+$/.test(minute) ? Math.floor(seconds / 60) : minute;
  return [seconds % 60, own, ...rest].join(' ');
}
