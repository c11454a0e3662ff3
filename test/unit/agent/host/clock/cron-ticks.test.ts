import { createTask } from 'node-cron';
import { expect, test } from 'vitest';
import { ticksOf } from '../../../../../src/agent/host/clock/cron-ticks.ts';

const at = (time: string) => Date.parse(`2026-03-01T${time}Z`);

test.each([
  ['0 */2 * * *', '00:00:00', '02:00:00'],
  ['0 */2 * * *', '01:59:59', '02:00:00'],
  ['0 */2 * * *', '02:00:00', '04:00:00'],
  ['17-40/7,50 * * * *', '00:17:30', '00:24:00'],
  ['17-40/7,50 * * * *', '00:38:00', '00:50:00'],
])('for the schedule %s, ticksOf finds that the next tick after %s is at %s UTC', (schedule, now, next) => {
  expect(ticksOf(schedule)(at(now))).toBe(at(next));
});

test('ticksOf returns infinity if no tick follows within a day', () => {
  expect(ticksOf('0 0 24 12 *')(at('00:00:00'))).toBe(Number.POSITIVE_INFINITY);
});

test.each([
  '0 */2 * * *',
  '*/25 1,23 * * *',
  '30 12 1-2 3 *',
  '0 0 * * 0',
  '0 0 * * 7',
  '5 6 * * 1-5',
  '0 0 1 * 1',
])('ticksOf finds the same ticks as node-cron for %s', (schedule) => {
  const task = createTask(schedule, () => {}, { timezone: 'UTC', unref: true });
  const minutes = Array.from({ length: 24 * 60 }, (_, minute) => at('00:00:00') + minute * 60_000);
  const ticks: number[] = [];
  const tickAfter = ticksOf(schedule);
  for (let tick = tickAfter(at('00:00:00') - 1); tick < at('23:59:01'); ) {
    ticks.push(tick);
    tick = tickAfter(tick);
  }
  expect(ticks).toEqual(minutes.filter((time) => task.match(new Date(time))));
  void task.destroy();
});
