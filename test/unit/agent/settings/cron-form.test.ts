import { createTask, validate } from 'node-cron';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { cron } from '../../../../src/agent/settings/cron-form.ts';

const isCron = (value: string) => z.safeParse(cron, value).success;

const minutes = ['*', '0', '05', '59', '*/15', '5-50/7', '1,2,30-40', '5/2', '60', '*/0', '9-5', '', 'x'];
const hours = ['*', '0', '*/2', '0,12', '24', '8-18/3'];
const days = ['*', '1', '29', '30', '31', '30-31', '29-31/2', '*/31', '0', '32', '28,31', '31/2'];
const months = ['*', '2', '4,6', '4-6/2', '2,4', '4,5', '*/2', '*/12', '0', '13', '2-2'];
const weekdays = ['*', '0', '7', '1-5', '5-7', '*/2', '8', 'sun', '6L', '1#2'];

/**
 * Schedules with each value of one field, or each pair of day and month, and `*` or 0 in the other fields; also
 * schedules in other formats.
 */
const schedules = [
  ...minutes.map((minute) => `${minute} * * * *`),
  ...hours.map((hour) => `0 ${hour} * * *`),
  ...days.flatMap((day) => months.map((month) => `0 0 ${day} ${month} *`)),
  ...weekdays.map((weekday) => `0 0 * * ${weekday}`),
  '* * * *',
  '* * * * * *',
  '0\t0 * * *',
  '0  0 * * *',
  '0 0 * * *\n',
  '@daily',
];

test.each(schedules.filter(isCron))('cron accepts %j, which has a next run', (schedule) => {
  expect(validate(schedule)).toBe(true);
  const task = createTask(schedule, () => {}, { timezone: 'UTC', unref: true });
  void task.start();
  expect(task.getNextRun()).toBeInstanceOf(Date);
  void task.destroy();
});

test('cron accepts numbers, lists, ranges and steps as node-cron does', () => {
  const beyondFiveFields = /^(@daily|(\S+ ){5}\S+)$|sun|[L#]|9-5|\n/;
  const accepted = schedules.filter((schedule) => !beyondFiveFields.test(schedule) && validate(schedule));
  expect(accepted.filter((schedule) => !isCron(schedule))).toEqual([]);
});

describe('cron', () => {
  test.each([
    ...['5/2 * * * *', '0 0 31 4 *', '0 0 31 2 *', '0 0 30-31 2 *', '0 0 31 4,6 *', '0\t0 * * *'],
    ...[
      '0 0 * * *\n',
      '0 8-6 * * *',
      ' 0 0 * * *',
      '* * * * * *',
      '0 0 * * sun',
      '0 0 * * 6L',
      '0 0 L * *',
      '@daily',
    ],
    ...['*/100 * * * *', '005 * * * *', '0-999 * * * *', '0 0 1 1-59/59 *', '0-99/60 * * * *'],
  ])('refuses %j', (schedule) => {
    expect(isCron(schedule)).toBe(false);
  });
});

test('cron accepts a schedule with every number of every field', () => {
  const fields = [numbers(0, 59), numbers(0, 23), numbers(1, 31), numbers(1, 12), numbers(0, 7)];
  expect(isCron(fields.join(' '))).toBe(true);
});

function numbers(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, at) => String(from + at).padStart(2, '0')).join(',');
}
