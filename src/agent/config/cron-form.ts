import * as z from 'zod/mini';

/** Five cron fields: minute, hour, day of month, month, day of week; numbers, `*`, lists, ranges and steps. */
export const cron = z
  .string()
  .check(
    z.refine(
      isCron,
      "must be five cron fields such as '0 */2 * * *' (minute, hour, day of month, month, day of week)",
    ),
  );

const ranges = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const;

function isCron(value: string): boolean {
  const fields = value.trim().split(/\s+/);
  return fields.length === ranges.length && ranges.every(([low, high], at) => isField(fields[at], low, high));
}

function isField(field: string | undefined, low: number, high: number): boolean {
  return (field ?? '').split(',').every((item) => {
    const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/([1-9]\d?))?$/.exec(item);
    const [from = low, to = from] = (match?.slice(1, 3) ?? []).flatMap((number) =>
      number ? [Number(number)] : [],
    );
    return match !== null && low <= from && from <= to && to <= high;
  });
}
