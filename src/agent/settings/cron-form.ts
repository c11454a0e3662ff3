import { validate } from 'node-cron';
import * as z from 'zod/mini';

/** Five cron fields: minute, hour, day of month, month, day of week; numbers, `*`, lists, ranges and steps. */
export const cron = z
  .string()
  .check(
    z.refine(
      isCron,
      "must be five cron fields such as '0 */2 * * *' (minute, hour, day of month, month, day of week) whose day exists; a step goes with * or a range",
    ),
  );

/**
 * What node-cron reads beside that is refused: seconds, names, nicknames, the last or the n-th weekday of a month, and a
 * range that goes over the end of its field, such as `8-6`, which is more often a slip.
 */
function isCron(value: string): boolean {
  const ranges = [...value.matchAll(/(\d+)-(\d+)/g)];
  const rise = ranges.every(([, from, to]) => Number(from) <= Number(to));
  return /^[\d*,/-]+( +[\d*,/-]+){4}$/.test(value) && rise && validate(value);
}
