import { expect, onTestFinished, test } from 'vitest';
import { cronTicks } from '../../../src/agent/host/clock/cron-ticks.ts';

test('cronTicks calls onTick at the times of the schedule until it is stopped', async () => {
  let rung = 0;
  const ticked = Promise.withResolvers<void>();
  const onTick = () => {
    rung += 1;
    ticked.resolve();
  };
  const ticks = cronTicks('* * * * * *', onTick, () => {});
  onTestFinished(() => ticks.stop());
  await ticked.promise;
  ticks.stop();
  expect(rung).toBe(1);
});

test('cronTicks logs an error that onTick throws', async () => {
  const logged = Promise.withResolvers<string>();
  const fail = () => {
    throw new Error('the tick broke');
  };
  const ticks = cronTicks('* * * * * *', fail, (level, message) => logged.resolve(`${level} ${message}`));
  onTestFinished(() => ticks.stop());
  expect(await logged.promise).toContain('the tick broke');
});

test('cronTicks refuses an invalid schedule', () => {
  expect(() =>
    cronTicks(
      'every two hours',
      () => {},
      () => {},
    ),
  ).toThrow();
});
