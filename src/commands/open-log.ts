import { isatty } from 'node:tty';
import { logDestination, logTarget } from '../agent/host/process/output.ts';
import { type EventLog, logEvents } from '../agent/report/log.ts';
import type { Settings } from '../agent/settings/schema.ts';

/** Opens the log of this process, in the format that suits its standard output. */
export async function openLog(): Promise<EventLog> {
  return logEvents(await logDestination(logTarget(process.env, isatty(1))));
}

/** Returns a function that sets the level of the log to `log.level` of the settings. */
export function levelOf(log: EventLog): (settings: Settings) => void {
  return ({ log: { level } }) => log.setLevel(level);
}
