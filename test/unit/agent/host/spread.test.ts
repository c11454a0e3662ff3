import { expect, test } from 'vitest';
import { spreadOf, spreadSchedule } from '../../../../src/agent/host/spread.ts';

const fleet = Array.from({ length: 1_000 }, (_, n) => `vm-${n}`);

test('a place is the same for ever, and within the window', () => {
  expect(spreadOf('02aab8a4-74ef-476e-8182-f6d2ba4166a6', 3_600_000)).toBe(
    spreadOf('02aab8a4-74ef-476e-8182-f6d2ba4166a6', 3_600_000),
  );
  for (const vm of fleet) {
    expect(spreadOf(vm, 1_000)).toBeGreaterThanOrEqual(0);
    expect(spreadOf(vm, 1_000)).toBeLessThan(1_000);
  }
});

test('a fleet is spread evenly', () => {
  const quarters = [0, 0, 0, 0];
  for (const vm of fleet)
    quarters[Math.floor(spreadOf(vm, 4))] = (quarters[Math.floor(spreadOf(vm, 4))] ?? 0) + 1;
  expect(Math.min(...quarters)).toBeGreaterThan(200);
});

test.each([
  ['0 */2 * * *', /^\d{1,2} \d{1,2} \*\/2 \* \* \*$/],
  ['*/10 * * * *', /^\d{1,2} \*\/10 \* \* \* \*$/],
  ['5 4 3 * * *', /^5 4 3 \* \* \*$/],
])('%s is moved to the VM’s own minute and second', (schedule, spread) => {
  for (const vm of fleet.slice(0, 50)) expect(spreadSchedule(schedule, vm)).toMatch(spread);
});

test('different VMs get different places', () => {
  expect(new Set(fleet.map((vm) => spreadSchedule('0 */2 * * *', vm))).size).toBeGreaterThan(800);
});
