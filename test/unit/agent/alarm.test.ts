import { expect, test } from 'vitest';
import { alarm, clockJump } from '../../../src/agent/alarm.ts';
import { memoryHost } from '../../lab/memory-host.ts';

/** A clock whose sleep ends only when the signal is aborted. */
const sleepless = {
  now: () => 0,
  monotonic: () => 0,
  sleep: (_: number, signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal?.aborted) {
        resolve();
      }
      signal?.addEventListener('abort', () => resolve());
    }),
};

test('sleepUntil sleeps until the given time if the alarm does not ring', async () => {
  const host = memoryHost();
  const start = host.now();
  expect(await alarm().sleepUntil(host, start + 5_000)).toEqual([]);
  expect(host.now()).toBe(start + 5_000);
});

test('sleepUntil returns the name of the event that rang the alarm and ended the sleep', async () => {
  const clock = alarm();
  const sleep = clock.sleepUntil(sleepless, 1_000);
  clock.ring('SIGHUP');
  expect(await sleep).toEqual(['SIGHUP']);
});

test('an alarm that rings between two sleeps ends only the next sleep', async () => {
  const clock = alarm();
  const host = memoryHost();
  clock.ring('SIGHUP');
  clock.ring('schedule');
  clock.ring('schedule');
  expect(await clock.sleepUntil(sleepless, 1_000)).toEqual(['SIGHUP', 'schedule']);
  expect(await clock.sleepUntil(host, host.now() + 10)).toEqual([]);
});

test.each([
  ['ahead', 56 * 365 * 86_400_000],
  ['back', -3_600_000],
])('setting the clock %s ends the sleep within half a minute', async (_, by) => {
  const host = memoryHost();
  const start = host.monotonic();
  host.at(host.now() + 3_000, () => host.setClock(host.now() + by));
  expect(await alarm().sleepUntil(host, host.now() + 300_000)).toEqual([clockJump]);
  expect(host.monotonic() - start).toBe(30_000);
});

test('setting the clock by less than five seconds at a time, as slewing does, does not end the sleep', async () => {
  const host = memoryHost();
  for (let at = 1; at < 10; at += 1) {
    host.at(host.now() + at * 30_000 - 1, () => host.setClock(host.now() + 4_000));
  }
  const start = host.monotonic();
  expect(await alarm().sleepUntil(host, host.now() + 300_000)).toEqual([]);
  expect(host.monotonic() - start).toBe(300_000);
});
