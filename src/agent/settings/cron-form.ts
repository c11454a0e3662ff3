import { validate } from 'node-cron';
import * as z from 'zod/mini';

/**
 * The form of a schedule: five cron fields (minute, hour, day of month, month, day of week) with numbers, `*`, lists,
 * ranges and steps.
 */
export const cron = z
  .string()
  .check(
    z.refine(
      isCron,
      "must be five cron fields such as '0 */2 * * *' (minute, hour, day of month, month, day of week) whose day exists; a step goes with * or a range",
    ),
  );

/** The maximum length of a schedule, which is enough to list every minute, hour, day, month and weekday. */
const mostCharacters = 500;

/** The highest minute, hour, day, month and weekday. */
const lasts = [59, 23, 31, 12, 7];

/**
 * True if the value is five cron fields whose day exists.
 *
 * Refuses some forms that node-cron accepts: seconds, names, nicknames, the last or the n-th weekday of a month, and a
 * range that wraps, such as `8-6`, which is usually a mistake. Refuses long strings and numbers of three digits or more
 * first, because node-cron expands a range before it checks the numbers: `0-199999999` would fill the memory.
 */
function isCron(value: string): boolean {
  if (value.length > mostCharacters || /\d{3}/.test(value)) {
    return false;
  }
  return /^[\d*,/-]+( +[\d*,/-]+){4}$/.test(value) && rangesRise(value) && validate(value);
}

function rangesRise(value: string): boolean {
  return value.split(/ +/).every((field, at) => {
    const ranges = [...field.matchAll(/(\d+)-(\d+)/g)];
    return ranges.every(([, from, to]) => Number(from) <= Number(to) && Number(to) <= (lasts[at] ?? 0));
  });
}
