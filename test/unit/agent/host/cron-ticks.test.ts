import { getTasks } from 'node-cron';
import { expect, test } from 'vitest';
import { tickAfter } from '../../../../src/agent/host/cron-ticks.ts';

const at = (time: string) => Date.parse(`2026-03-01T${time}Z`);

test.each([
  ['0 */2 * * *', '00:00:00', '02:00:00'],
  ['0 */2 * * *', '01:59:59', '02:00:00'],
  ['30 17 */2 * * *', '00:17:29', '00:17:30'],
  ['30 17 */2 * * *', '00:17:30', '02:17:30'],
  ['5 * * * * *', '10:10:06', '10:11:05'],
])('%s after %s is %s, UTC', (schedule, now, next) => {
  expect(tickAfter(schedule, at(now))).toBe(at(next));
});

test('a day without a tick has none', () => {
  expect(tickAfter('0 0 24 12 *', at('00:00:00'))).toBe(Number.POSITIVE_INFINITY);
});

test('asking leaves nothing behind in node-cron', () => {
  tickAfter('0 */2 * * *', at('00:00:00'));
  expect(getTasks().size).toBe(0);
});
