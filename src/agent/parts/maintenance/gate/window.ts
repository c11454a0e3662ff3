import type { DeepReadonly } from '../../../settings/deep-readonly.ts';
import type { Settings } from '../../../settings/schema.ts';

/** A window in which interruptions may begin. */
export type MaintenanceWindow = DeepReadonly<Settings['maintenance']['windows'][number]>;

const minute = 60_000;
const day = 24 * 60 * minute;
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

/**
 * True if one of the windows is open at `now` (epoch milliseconds), or if there is no window.
 *
 * A window is compared with the clock on the wall in its time zone. When that clock is put forward, a window within the
 * skipped hour does not open on that day; when it is put back, a window within the repeated hour opens twice.
 */
export function isOpen(windows: readonly MaintenanceWindow[], now: number): boolean {
  return windows.length === 0 || windows.some((window) => isOpenAt(window, now));
}

/**
 * Returns when the next window opens, in epoch milliseconds; `undefined` if none opens within the next eight days, such
 * as a window with an empty list of days.
 */
export function nextOpening(windows: readonly MaintenanceWindow[], now: number): number | undefined {
  const openings = windows.flatMap((window) => openingsAfter(window, now)).filter((opening) => opening > now);
  return openings.length === 0 ? undefined : Math.min(...openings);
}

function isOpenAt(window: MaintenanceWindow, now: number): boolean {
  const wall = wallClock(now, window.timeZone);
  const at = (wall % day) / minute;
  const [from, to] = [minutesOf(window.from), minutesOf(window.to)];
  if (from < to) {
    return beginsOn(window, wall) && at >= from && at < to;
  }
  return (beginsOn(window, wall) && at >= from) || (beginsOn(window, wall - day) && at < to);
}

/** True if the window begins on the day of a time on the wall. */
function beginsOn({ days }: MaintenanceWindow, wall: number): boolean {
  const weekday = weekdays[new Date(wall).getUTCDay()];
  return days === undefined || days.some((each) => each === weekday);
}

function openingsAfter(window: MaintenanceWindow, now: number): readonly number[] {
  const today = Math.floor(wallClock(now, window.timeZone) / day) * day;
  const nextDays = Array.from({ length: 9 }, (_, days) => today + days * day);
  return nextDays
    .map((midnight) => instantOf(midnight + minutesOf(window.from) * minute, window.timeZone))
    .filter((opening) => isOpenAt(window, opening));
}

/** Returns when the clock on the wall shows this time; around a change of the clock, one of the possible answers. */
function instantOf(wall: number, timeZone: string | undefined): number {
  const guess = wall - offsetAt(wall, timeZone);
  return wall - offsetAt(guess, timeZone);
}

function offsetAt(instant: number, timeZone: string | undefined): number {
  return wallClock(instant, timeZone) - instant;
}

/** Returns the date and time on the wall in a time zone, in whole minutes, as if they were UTC. */
function wallClock(instant: number, timeZone = 'UTC'): number {
  const whole = Math.floor(instant / minute) * minute;
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(whole)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const [year, month, date, hour, minutes] = (['year', 'month', 'day', 'hour', 'minute'] as const).map(
    (type) => parts.get(type) ?? 0,
  );
  return Date.UTC(year ?? 0, (month ?? 1) - 1, date, hour, minutes);
}

/** The formats by time zone: making one takes a hundred times as long as using it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  const format =
    known ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  formats.set(timeZone, format);
  return format;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
