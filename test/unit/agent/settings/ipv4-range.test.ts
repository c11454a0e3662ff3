import { expect, test } from 'vitest';
import { listedRange } from '../../../../src/agent/settings/ipv4-range.ts';

test.each([
  ['10.0.2.0/24', '10.0.2.0/24'],
  ['10.0.2.77/24', '10.0.2.0/24'],
  ['10.255.2.77/9', '10.128.0.0/9'],
  ['192.168.1.1/32', '192.168.1.1'],
  ['192.168.1.1', '192.168.1.1'],
  ['10.0.2.1/0', '0.0.0.0/0'],
])('listedRange returns the range %s as %s', (range, listed) => {
  expect(listedRange(range)).toBe(listed);
});
