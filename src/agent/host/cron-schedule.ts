import { createTask } from 'node-cron';

const second = 1_000;
const minute = 60 * second;
/** How far to look: a credential does not live longer, so a later tick is none that matters. */
const horizon = 24 * 60 * minute;

/**
 * The first tick of a cron schedule (with seconds, UTC) after a time, both epoch milliseconds; infinity where a
 * day has none. node-cron itself only tells the next tick from now, and a credential asks from when it was received.
 */
export function tickAfter(schedule: string, time: number): number {
  const task = createTask(schedule, () => {}, { timezone: 'UTC', unref: true });
  // node-cron keeps every task it made until it is destroyed.
  void task.destroy();
  const start = Math.floor(time / minute) * minute + secondsOf(schedule) * second;
  for (let at = start > time ? start : start + minute; at < time + horizon; at += minute) {
    if (task.match(new Date(at))) return at;
  }
  return Number.POSITIVE_INFINITY;
}

function secondsOf(schedule: string): number {
  const fields = schedule.trim().split(/\s+/);
  return fields.length === 6 ? Number(fields[0]) : 0;
}
