import { describe, expect, test } from 'vitest';
import { isOpen, nextOpening } from '../../../../../../src/agent/parts/maintenance/gate/window.ts';

const night = { from: '01:00', to: '05:00' } as const;
const berlin = { ...night, days: ['sat'], timeZone: 'Europe/Berlin' } as const;
const overMidnight = { days: ['fri'], from: '22:00', to: '04:00' } as const;
const wholeDay = { days: ['sun'], from: '06:00', to: '06:00' } as const;
const skipped = { from: '02:15', to: '02:45', timeZone: 'Europe/Berlin' } as const;
const overSkipped = { from: '02:30', to: '04:00', timeZone: 'Europe/Berlin' } as const;
const newYork = { from: '23:00', to: '23:30', timeZone: 'America/New_York' } as const;
const kathmandu = { from: '00:00', to: '00:30', timeZone: 'Asia/Kathmandu' } as const;

describe('isOpen', () => {
  test.each([
    ['no window', [], '2026-01-01T12:00:00Z', true],
    ['a window, at its first minute', [night], '2026-01-01T01:00:00Z', true],
    ['a window, a second before it', [night], '2026-01-01T00:59:59Z', false],
    ['a window, a second before its end', [night], '2026-01-01T04:59:59Z', true],
    ['a window, at its end', [night], '2026-01-01T05:00:00Z', false],
    ['two windows, in the second', [overMidnight, night], '2026-01-01T02:00:00Z', true],
    ['a window on Saturdays in Berlin, in winter', [berlin], '2026-01-03T00:00:00Z', true],
    ['a window on Saturdays in Berlin, in winter, before it', [berlin], '2026-01-02T23:59:00Z', false],
    ['a window on Saturdays in Berlin, in summer', [berlin], '2026-07-03T23:00:00Z', true],
    ['a window on Saturdays, on Sunday', [berlin], '2026-01-04T02:00:00Z', false],
    ['a window over midnight, before midnight', [overMidnight], '2026-01-02T23:59:00Z', true],
    ['a window over midnight, after midnight', [overMidnight], '2026-01-03T03:59:00Z', true],
    ['a window over midnight, after its end', [overMidnight], '2026-01-03T04:00:00Z', false],
    [
      'a window over midnight, early on the day on which it begins',
      [overMidnight],
      '2026-01-02T03:00:00Z',
      false,
    ],
    ['a window of a whole day, in its last minute', [wholeDay], '2026-01-05T05:59:00Z', true],
    ['a window of a whole day, a minute before it', [wholeDay], '2026-01-04T05:59:00Z', false],
    ['a window without a day', [{ ...night, days: [] }], '2026-01-01T02:00:00Z', false],
    [
      'a window in New York, whose local date is still the day before',
      [newYork],
      '2026-01-02T04:10:00Z',
      true,
    ],
    ['a window in Kathmandu, at an offset of 45 minutes', [kathmandu], '2026-01-01T18:15:00Z', true],
    ['a window in the hour that the clock skips', [skipped], '2026-03-29T01:15:00Z', false],
    [
      'a window that begins in the skipped hour and ends after it',
      [overSkipped],
      '2026-03-29T01:00:00Z',
      true,
    ],
    ['a window in the repeated hour, the first time', [skipped], '2026-10-25T00:30:00Z', true],
    ['a window in the repeated hour, the second time', [skipped], '2026-10-25T01:30:00Z', true],
  ] as const)('for $0, returns $3', (_, windows, at, expected) => {
    expect(isOpen(windows, Date.parse(at))).toBe(expected);
  });
});

describe('nextOpening', () => {
  test.each([
    ['is later on the same day', [night], '2026-01-01T00:10:00Z', '2026-01-01T01:00:00.000Z'],
    ['is on the next day', [night], '2026-01-01T05:00:00Z', '2026-01-02T01:00:00.000Z'],
    ['is at the same time next week', [berlin], '2026-01-03T00:00:00Z', '2026-01-10T00:00:00.000Z'],
    [
      'is that of the window that opens first',
      [berlin, overMidnight],
      '2026-01-01T12:00:00Z',
      '2026-01-02T22:00:00.000Z',
    ],
    [
      'is earlier in UTC after the change to summer time',
      [berlin],
      '2026-03-28T12:00:00Z',
      '2026-04-03T23:00:00.000Z',
    ],
    [
      'is a day later if the clock skips the window',
      [skipped],
      '2026-03-28T12:00:00Z',
      '2026-03-30T00:15:00.000Z',
    ],
  ] as const)('%s', (_, windows, at, expected) => {
    expect(new Date(nextOpening(windows, Date.parse(at)) ?? 0).toISOString()).toBe(expected);
  });

  test('is unknown for a window without a day', () => {
    expect(nextOpening([{ ...night, days: [] }], 0)).toBeUndefined();
  });
});
