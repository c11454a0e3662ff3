import { describe, expect, test } from 'vitest';
import { nextAttempt, soonAfter } from '../../../../src/agent/engine/backoff.ts';

const passing = { endedBy: 'time', retry: {} } as const;
const forPerson = { endedBy: 'person', retry: {} } as const;

test('the delays after temporary failures double from 2 s to 40 s, and the resource counts as failed after five minutes', () => {
  const failures = Array.from({ length: 13 }, (_, before) => before + 1);
  const delays = failures.map((count) => nextAttempt(count, passing, undefined, 0.5));
  expect(delays.map(({ after }) => after / 1_000)).toEqual([2, 4, 8, 16, 32, ...Array(8).fill(40)]);
  const first = delays.findIndex(({ isFailed }) => isFailed);
  const until = delays.slice(0, first).reduce((sum, { after }) => sum + after, 0);
  expect(until).toBeGreaterThan(290_000);
  expect(until).toBeLessThan(310_000);
});

test('the next attempt ends within a minute after the end of an outage, even if its request hangs for ten seconds', () => {
  expect(10_000 + nextAttempt(1_000, passing, undefined, 0.999_999).after).toBeLessThan(60_000);
});

test('without jitter, the retry delay doubles until it reaches the longest delay that the error allows', () => {
  const near = { ...passing, retry: { longest: 10_000 } };
  const delays = [1, 2, 3, 4, 1_000].map((failures) => nextAttempt(failures, near, undefined, 0.5).after);
  expect(delays).toEqual([2_000, 4_000, 8_000, 10_000, 10_000]);
});

test('a failure that only a person can end is reported as failed at once, and retried after ten minutes', () => {
  expect(nextAttempt(1, forPerson, undefined, 0.5)).toEqual({ after: 600_000, isFailed: true });
});

test('a failure that only a person can end is retried soon if its error limits the delay', () => {
  const near = { ...forPerson, retry: { longest: 40_000 } };
  const attempts = [1, 2, 1_000].map((failures) => nextAttempt(failures, near, undefined, 0.5));
  expect(attempts.map(({ after }) => after)).toEqual([2_000, 4_000, 40_000]);
  expect(attempts.every(({ isFailed }) => isFailed)).toBe(true);
});

test('the pacing of a resource sets the delay until its attempts are used up; then the delay is ten minutes', () => {
  const pacing = { attempts: 30, every: 10_000 };
  expect(nextAttempt(29, passing, pacing, 0.5)).toEqual({ after: 10_000, isFailed: false });
  expect(nextAttempt(30, passing, pacing, 0.5)).toEqual({ after: 600_000, isFailed: true });
});

test('jitter varies a delay by up to a fifth, but never shortens a Retry-After', () => {
  expect(nextAttempt(1, forPerson, undefined, 0).after).toBe(480_000);
  expect(nextAttempt(1, forPerson, undefined, 0.999_999).after).toBe(720_000);
  expect(nextAttempt(1, { ...passing, retry: { after: 30_000 } }, undefined, 0).after).toBe(30_000);
});

describe('soonAfter', () => {
  const now = Date.UTC(2026, 0, 1);
  test.each([
    [undefined, {}],
    ['7', { after: 7_000 }],
    ['0', { after: 0 }],
    ['Thu, 01 Jan 2026 00:01:00 GMT', { after: 60_000 }],
    ['Wed, 31 Dec 2025 00:00:00 GMT', { after: 0 }],
    ['86400', { after: 600_000 }],
    ['9'.repeat(400), { after: 600_000 }],
    ['later', {}],
    ['', {}],
  ])('turns the Retry-After header %j into %j', (header, expected) => {
    expect(soonAfter({ headers: header === undefined ? {} : { 'retry-after': header } }, now)).toEqual(
      expected,
    );
  });
});
