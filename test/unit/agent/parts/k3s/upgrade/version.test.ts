import { expect, test } from 'vitest';
import {
  compareVersions,
  isOneStep,
  parseVersion,
} from '../../../../../../src/agent/parts/k3s/upgrade/version.ts';

function version(text: string) {
  const found = parseVersion(text);
  if (!found) {
    throw new Error(`${text} is not a version`);
  }
  return found;
}

test.each(['stable', '1.36.3+k3s1', 'v1.36.3', 'v1.36+k3s1', 'v1.36.3+k3s1 ', 'v1.36.3-k3s1'])(
  'parseVersion rejects %j',
  (text) => {
    expect(parseVersion(text)).toBeUndefined();
  },
);

test.each([
  ['v1.36.3+k3s1', 'v1.36.3+k3s1', 0],
  ['v1.36.3+k3s1', 'v1.36.3+k3s2', -1],
  ['v1.9.0+k3s1', 'v1.10.0+k3s1', -1],
  ['v1.36.10+k3s1', 'v1.36.9+k3s2', 1],
  ['v1.36.3-rc1+k3s1', 'v1.36.3+k3s1', -1],
  ['v1.36.3-rc2+k3s1', 'v1.36.3-rc10+k3s1', -1],
])('compareVersions of %s and %s returns %i', (a, b, expected) => {
  expect(compareVersions(version(a), version(b))).toBe(expected);
});

test.each([
  ['v1.35.9+k3s1', 'v1.36.3+k3s1', true],
  ['v1.36.3+k3s1', 'v1.36.4+k3s1', true],
  ['v1.34.9+k3s1', 'v1.36.3+k3s1', false],
  ['v1.36.3+k3s2', 'v1.36.3+k3s1', false],
  ['v1.36.3+k3s1', 'v2.0.0+k3s1', false],
])('isOneStep from %s to %s returns %s', (from, to, expected) => {
  expect(isOneStep(version(from), version(to))).toBe(expected);
});
