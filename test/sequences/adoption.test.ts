import { expect, test } from 'vitest';
import { live } from '../scenario/a-vm.ts';
import { adopted, isTimerOn } from '../scenario/adopted.ts';

const minute = 60_000;
const unit = 'k3s-agent.service';

test('an adoption restarts K3s once, even after a crash before any of its changes', async () => {
  const settings = `consent: { restart: [${unit}] }\n`;
  const whole = adopted({ settings });
  await live(whole.slipway(), whole, 30 * minute);
  for (let mutation = 1; mutation <= whole.host.mutations; mutation += 1) {
    const machine = adopted({ settings });
    machine.host.crashBefore(mutation);
    await live(machine.slipway(), machine, 30 * minute).catch(() => undefined);
    machine.host.restart();
    await live(machine.slipway(), machine, 30 * minute);
    expect(machine.units.starts).toBe(1);
    expect(isTimerOn(machine)).toBe(false);
  }
});
