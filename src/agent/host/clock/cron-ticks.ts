import { createTask, type Logger, parse } from 'node-cron';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** A running cron schedule. */
export interface CronTicks {
  stop(): void;
}

/** Receives node-cron's messages, one sentence each. */
export type CronLog = (level: 'debug' | 'warn' | 'error', message: string) => void;

/**
 * Calls `onTick` at each tick of a cron schedule (five fields, or six with seconds; UTC) until `stop` is called, and
 * passes node-cron's messages to `log`.
 *
 * Also calls `onTick`, late, for a tick that was missed because the VM slept or the clock jumped. Does not keep the
 * process alive. Throws node-cron's error for an invalid schedule.
 */
export function cronTicks(schedule: string, onTick: () => void, log: CronLog): CronTicks {
  const task = createTask(schedule, onTick, {
    timezone: 'UTC',
    unref: true,
    suppressMissedWarning: true,
    logger: loggerOf(log),
  });
  task.on('execution:missed', onTick);
  void task.start();
  return { stop: () => void task.destroy() };
}

function loggerOf(log: CronLog): Logger {
  const said = (message: string | Error, error?: Error) => [message, error].filter(Boolean).join(': ');
  return {
    debug: (message, error) => log('debug', said(message, error)),
    info: (message) => log('debug', message),
    warn: (message) => log('warn', message),
    error: (message, error) => log('error', said(message, error)),
  };
}

/**
 * Returns a function that finds the first tick of a cron schedule (five fields, UTC) after a time; infinity if no tick
 * follows within `horizon` milliseconds, by default a day, because no credential lives longer. Times are epoch
 * milliseconds. node-cron computes only the next tick from now, but a renewal is planned from the time at which the
 * credential was received. Throws node-cron's error for an invalid schedule.
 */
export function ticksOf(schedule: string, horizon = day): (time: number) => number {
  const {
    minute: minutes,
    hour: hours,
    dayOfMonth: days,
    month: months,
    dayOfWeek: weekdays,
  } = parse(schedule);
  const namesDay = (date: Date) =>
    days.includes(date.getUTCDate()) &&
    months.includes(date.getUTCMonth() + 1) &&
    weekdays.includes(date.getUTCDay());
  return (time) => {
    for (let start = Math.floor(time / hour) * hour; start < time + horizon; start += hour) {
      const date = new Date(start);
      if (!namesDay(date)) {
        start = Math.floor(start / day) * day + day - hour;
        continue;
      }
      if (!hours.includes(date.getUTCHours())) {
        continue;
      }
      const ticks = minutes.map((number) => start + number * minute).filter((tick) => tick > time);
      if (ticks.length > 0) {
        return Math.min(...ticks);
      }
    }
    return Number.POSITIVE_INFINITY;
  };
}
