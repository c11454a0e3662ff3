import { describe, expect, test } from 'vitest';
import { rotationSchedule, spreadOf } from '../../../../../src/agent/host/clock/rotation-schedule.ts';

const minute = 60_000;
const hour = 60 * minute;
const at = (time: string) => Date.parse(`2026-03-01T${time}Z`);
const fleet = Array.from({ length: 1_000 }, (_, n) => `vm-${n}`);

test('spreadOf gives each VM a constant offset, and spreads a fleet evenly over the window', () => {
  const places = fleet.map((vm) => spreadOf(vm, 4));
  expect(places).toEqual(fleet.map((vm) => spreadOf(vm, 4)));
  for (const place of [0, 1, 2, 3]) {
    expect(places.filter((each) => each === place).length).toBeGreaterThan(200);
  }
  expect(places.every((place) => place < 4)).toBe(true);
});

describe('rotationSchedule', () => {
  test.each([
    ['0 */2 * * *', 2 * hour],
    ['30 * * * *', hour],
    ['*/10 * * * *', 10 * minute],
    ['0 8,9 * * *', hour],
    // A delay of at most two hours stays near the hour that the operator chose.
    ['0 3 * * *', 2 * hour],
    ['0 3 * * 1', 2 * hour],
  ])('spreads the renewals of a fleet with the schedule %s over %d ms', (schedule, period) => {
    const delays = fleet.map((vm) => rotationSchedule(schedule, vm).delay);
    expect(Math.max(...delays)).toBeLessThan(period);
    expect(Math.max(...delays)).toBeGreaterThan(period * 0.99);
    expect(Math.min(...delays)).toBeLessThan(period * 0.01);
  });

  test('renews once after each tick, always with the same delay after the tick', () => {
    const { delay, next } = rotationSchedule('0 */2 * * *', 'vm-1');
    const first = next(at('00:00:00'), Number.POSITIVE_INFINITY);
    expect((first - delay) % (2 * hour)).toBe(0);
    expect(first).toBeGreaterThan(at('00:00:00'));
    expect(first).toBeLessThanOrEqual(at('02:00:00'));
    expect(next(first, 2 * hour)).toBe(first + 2 * hour);
    expect(next(first - 1, 2 * hour)).toBe(first);
  });

  test.each([
    ['a nightly schedule', '0 3 * * *'],
    ['a schedule without a tick today', '0 0 24 12 *'],
  ])('spreads the renewals of a credential that expires before the next tick of %s', (_, schedule) => {
    const received = at('12:00:00');
    const times = fleet.map((vm) => rotationSchedule(schedule, vm).next(received, 40 * minute) - received);
    expect(Math.min(...times)).toBeGreaterThan(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(40 * minute);
    for (let quarter = 0; quarter < 4; quarter += 1) {
      const inside = times.filter((time) => Math.floor(time / (10 * minute)) === quarter);
      expect(inside.length).toBeGreaterThan(200);
    }
  });

  test('renews a credential once during its lifetime if it expires before the next tick', () => {
    const { next } = rotationSchedule('0 3 * * *', 'vm-1');
    const first = next(at('12:00:00'), 40 * minute);
    expect(next(first, 40 * minute)).toBe(first + 40 * minute);
  });
});
