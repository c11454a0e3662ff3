import { createTask, type Logger } from 'node-cron';

/** A schedule that wakes the loop. */
export interface CronTicks {
  /** The next tick in epoch milliseconds; undefined where the schedule never comes again. */
  next(): number | undefined;
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
  return {
    next: () => task.getNextRun()?.getTime(),
    stop: () => void task.destroy(),
  };
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
