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

const ranges = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

/** What node-cron refuses or never comes to is none, such as `5/2` and the 31st of April. */
function isCron(value: string): boolean {
  const numbers = cronNumbers(value);
  const [, , days = [], months = []] = numbers;
  return (
    numbers.length === ranges.length && numbers.every(({ length }) => length > 0) && isDate(days, months)
  );
}

/** The numbers that each field of a cron schedule names; none for a field that is none. */
export function cronNumbers(schedule: string): readonly (readonly number[])[] {
  return schedule.split(/ +/).map((field, at) => {
    const [low, high] = ranges[at] ?? [0, -1];
    return numbersOf(field, low, high);
  });
}

/** Every number a field names; none where it is no field. */
function numbersOf(field: string, low: number, high: number): readonly number[] {
  const items = field.split(',').map((item) => itemNumbers(item, low, high));
  return items.every(({ length }) => length > 0) ? items.flat() : [];
}

function itemNumbers(item: string, low: number, high: number): readonly number[] {
  const match = /^(?:(\d{1,2})|(?:\*|(\d{1,2})-(\d{1,2}))(?:\/([1-9]\d?))?)$/.exec(item);
  if (!match) return [];
  const [single, first, last, step = 1] = match.slice(1).map((text) => (text ? Number(text) : undefined));
  const [from, to] = [single ?? first ?? low, single ?? last ?? high];
  if (from < low || to > high || from > to) return [];
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, at) => from + at * step);
}

const lastDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether one of these months has one of these days. */
function isDate(days: readonly number[], months: readonly number[]): boolean {
  return months.some((month) => Math.min(...days) <= (lastDays[month - 1] ?? 0));
}
