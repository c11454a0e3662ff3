import { expect, test } from 'vitest';
import { clockRemark } from '../../../../../src/agent/clouds/oracle/service-errors.ts';

const date = 'Mon, 30 Nov 2026 01:02:03 GMT';

test.each([
  ['nothing about a correct clock', { date }, 0, ''],
  ['nothing about a clock that is off by four minutes', { date }, 240_000, ''],
  ['nothing if the answer has no date', {}, 9_000_000, ''],
  ['how far a clock is ahead', { date }, 600_000, '600 s ahead of'],
  ['how far a clock is behind', { date }, -600_000, '600 s behind'],
])('clockRemark reports %s', (_what, headers, skew, expected) => {
  const remark = clockRemark({ status: 401, headers, body: '' }, Date.parse(date) + skew);
  expect(remark).toContain(expected);
  expect(remark === '').toBe(expected === '');
});
