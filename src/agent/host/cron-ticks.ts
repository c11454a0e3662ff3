import { createTask, type Logger } from 'node-cron';

const second = 1_000;
const minute = 60 * second;
/** How far to look: a credential does not live longer, so a later tick is none that matters. */
const horizon = 24 * 60 * minute;

/** A schedule that wakes the loop. */
export interface CronTicks {
  stop(): void;
}

/** What node-cron has to say, in one sentence. */
export type CronLog = (level: 'debug' | 'warn' | 'error', message: string) => void;

/**
 * Calls `onTick` at each time of a cron schedule, five fields or six with seconds, UTC.
 *
 * A tick that was missed (the VM slept, the clock jumped) is called too late rather than not at all: it carries no
 * data. Ticks do not keep the process alive. Throws what node-cron throws for a schedule that is none.
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
