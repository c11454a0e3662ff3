import { expect, test } from 'vitest';
import { condition, isReady, live, noRestarts, vm } from './a-vm.ts';

const hour = 3_600_000;

test('a node whose only cloud section is static keeps that cloud despite signs of another cloud, and warns once', async () => {
  const machine = vm('server', `cloud:\nstatic: { tags: { k3s-role: server } }\n${noRestarts}`);
  await live(machine.slipway(), machine, 60_000, isReady);
  const warnings = () => machine.events.filter(({ type }) => type === 'Warned');
  expect(warnings()).toEqual([]);
  machine.host.files.write('/run/cloud-init/cloud-id', 'oracle\n');
  const report = await live(machine.slipway(), machine, hour);
  expect(condition(report, 'Ready')).toBe('True InSync');
  expect(report.knowledge.files.value?.settings.cloud).toBe('static');
  expect(warnings()).toEqual([
    {
      type: 'Warned',
      message: expect.stringMatching(/sign of the cloud oracle .*Set cloud: static to confirm this choice/),
    },
  ]);
});
