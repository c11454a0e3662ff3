import { expect, test } from 'vitest';
import { choose, nextLine } from '../../../../../../../src/agent/parts/k3s/upgrade/channel/choice.ts';

const channels = new Map([
  ['stable', 'v1.37.1+k3s1'],
  ['latest', 'v1.38.0+k3s1'],
  ['v1.35', 'v1.35.9+k3s1'],
  ['v1.36', 'v1.36.6+k3s2'],
  ['v1.37', 'v1.37.4+k3s1'],
]);

test.each([
  ['takes the newest release before the first start', 'stable', undefined, 'v1.37.1+k3s1'],
  ['takes a newer patch of the same minor version', 'stable', 'v1.37.0+k3s1', 'v1.37.1+k3s1'],
  ['stays at a release that is newer than the channel', 'stable', 'v1.37.3+k3s1', 'v1.37.3+k3s1'],
  ['stays in its minor version, with the newest patch', 'stable', 'v1.36.3+k3s1', 'v1.36.6+k3s2'],
  ['stays at a newer patch than that of its minor version', 'stable', 'v1.36.7+k3s1', 'v1.36.7+k3s1'],
  ['stays if its minor version has no channel', 'latest', 'v1.34.2+k3s1', 'v1.34.2+k3s1'],
  ['stays if the channel is at an older minor version', 'v1.35', 'v1.36.3+k3s1', 'v1.36.3+k3s1'],
  [
    'goes to the next minor version if the channel is that of this version',
    'v1.37',
    'v1.36.6+k3s2',
    'v1.37.4+k3s1',
  ],
  ['does not skip a minor version', 'v1.37', 'v1.35.8+k3s1', 'v1.35.9+k3s1'],
])('a cluster %s', (_, channel, runs, release) => {
  expect(choose(channels, channel, runs)?.release).toBe(release);
});

test('a cluster gets no release from a channel that does not exist or has no usable release', () => {
  expect(choose(channels, 'v1.99', 'v1.36.3+k3s1')).toBeUndefined();
  expect(choose(new Map([['stable', 'nonsense']]), 'stable', undefined)).toBeUndefined();
});

test.each([
  ['v1.36.6+k3s2', 'v1.38.0+k3s1', 'v1.37'],
  ['v1.36.6+k3s2', 'v1.37.1+k3s1', 'v1.37'],
  ['v1.37.3+k3s1', 'v1.37.1+k3s1', undefined],
  ['v1.37.3+k3s1', 'v1.36.1+k3s1', undefined],
])('the minor version after %s with a channel at %s is %s', (release, latest, next) => {
  expect(nextLine({ release, latest })).toBe(next);
});
