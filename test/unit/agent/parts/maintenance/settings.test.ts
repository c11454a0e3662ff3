import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { concurrency, maintenanceWindow } from '../../../../../src/agent/parts/maintenance/settings-forms.ts';

test.each([
  [{ days: ['sat'], from: '01:00', to: '05:00', timeZone: 'Europe/Berlin' }],
  [{ from: '22:30', to: '04:00' }],
])('%j is a window', (window) => {
  expect(z.safeParse(maintenanceWindow, window).success).toBe(true);
});

test.each([
  [{ from: '24:00', to: '05:00' }],
  [{ from: '1:00', to: '05:00' }],
  [{ from: 60, to: '05:00' }],
  [{ days: ['saturday'], from: '01:00', to: '05:00' }],
  [{ from: '01:00', to: '05:00', timeZone: 'Mars/Olympus' }],
  [{ from: '01:00' }],
])('%j is not a window', (window) => {
  expect(z.safeParse(maintenanceWindow, window).success).toBe(false);
});

test.each([
  [1, true],
  ['1%', true],
  ['100%', true],
  [0, false],
  ['0%', false],
  ['101%', false],
  ['10', false],
  [1.5, false],
])('concurrency %j is valid: %s', (value, isValid) => {
  expect(z.safeParse(concurrency, value).success).toBe(isValid);
});
