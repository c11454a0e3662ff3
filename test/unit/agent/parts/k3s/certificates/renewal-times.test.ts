import { describe, expect, test } from 'vitest';
import {
  caReportedFrom,
  renewalTimes,
  renewalWindow,
} from '../../../../../../src/agent/parts/k3s/certificates/renewal-times.ts';

const day = 86_400_000;
const window = 120 * day;

/** Returns how many days before its end a leaf with this life becomes due, ignores windows, and becomes urgent. */
function daysBefore(life: number, renewedWithin = window): readonly number[] {
  const ends = 5_000 * day;
  const { due, outsideWindows, urgent } = renewalTimes({ issued: ends - life * day, ends }, renewedWithin);
  return [due, outsideWindows, urgent].map((time) => Math.round(((ends - time) / day) * 1_000) / 1_000);
}

describe('a leaf certificate is due', () => {
  test.each([
    [365, [120, 30, 7]],
    [3_650, [120, 30, 7]],
    [360, [120, 30, 7]],
    [180, [60, 30, 7]],
    [168, [56, 28, 7]],
    [120, [40, 20, 5]],
    [90, [30, 15, 3.75]],
    [24, [8, 4, 1]],
    [3, [1, 0.5, 0.125]],
  ])('a third of its life of %i days before its end, but at most 120 days', (life, days) => {
    expect(daysBefore(life)).toEqual(days);
  });

  test('90 days before its end if the release of K3s renews no earlier', () => {
    expect(daysBefore(365, 90 * day)).toEqual([90, 30, 7]);
  });
});

test.each([
  ['v1.36.3+k3s1', 120],
  ['v1.33.1+k3s1', 120],
  ['v1.33.0+k3s1', 90],
  ['v1.32.5+k3s1', 120],
  ['v1.32.4+k3s1', 90],
  ['v1.31.9+k3s1', 120],
  ['v1.31.8+k3s1', 90],
  ['v1.30.13+k3s1', 120],
  ['v1.30.12+k3s1', 90],
  ['v1.29.15+k3s1', 90],
  ['something', 120],
])('K3s %s renews its certificates within %i days of their end', (release, days) => {
  expect(renewalWindow(release)).toBe(days * day);
});

test.each([
  [3_650, 365],
  [7_300, 365],
  [1_825, 182.5],
  [365, 36.5],
  [200, 30],
])('the end of a CA with a life of %i days is reported %d days before', (life, days) => {
  expect(caReportedFrom({ from: 0, ends: life * day })).toBe((life - days) * day);
});
