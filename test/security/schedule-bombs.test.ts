import { validate } from 'node-cron';
import { expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { cron } from '../../src/agent/settings/cron-form.ts';

/** Replaces node-cron's validation, which takes seconds or runs out of memory for most of these schedules. */
vi.mock('node-cron', () => ({ validate: vi.fn(() => true) }));

test.each([
  ['a range of a million', '0-999999 * * * *'],
  ['a range of two hundred million', '0-199999999 * * * *'],
  ['a range of a billion in another field', '0 0 1 0-999999999 *'],
  ['a range with a step', '0-199999999/100000000 * * * *'],
  ['a long list of ranges', `${'0-59,'.repeat(100_000)}0 * * * *`],
  ['many blanks', `0${' '.repeat(1_000_000)}x`],
])('a schedule with %s is refused before node-cron expands it', (_what, schedule) => {
  expect(z.safeParse(cron, schedule).success).toBe(false);
  expect(validate).not.toHaveBeenCalled();
});
