import { expect, test } from 'vitest';
import type { Agent } from '../../src/agent/agent.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { createMetrics } from '../../src/agent/report/metrics/metrics.ts';
import { isReady, live, registry, type Vm, vm } from './a-vm.ts';
import { gitToken, joinToken } from './world.ts';

const minute = 60_000;
const hour = 60 * minute;

/**
 * Starts Slipway on this VM with metrics that observe each pass. `value` returns a sample of the metrics, or
 * `undefined` if the sample is missing.
 */
function measured(machine: Vm) {
  const usage = () => ({ residentBytes: 0, cpuSeconds: 0 });
  const metrics = createMetrics({ version: '1.2.3', runtime: 'v24.0.0', startedAt: 0, usage });
  const agent = machine.slipway();
  const slipway: Agent = {
    ...agent,
    async pass() {
      const from = machine.host.now();
      const report = await agent.pass();
      metrics.observe({ report, from, to: machine.host.now() });
      return report;
    },
  };
  const value = async (sample: string) => {
    const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`slipway_${sample} `));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
  };
  return { slipway, value, text: () => metrics.text() };
}

function passwordCalls(machine: Vm): number {
  return machine.cloud.calls.filter((call) => call.startsWith('registryPassword')).length;
}

const rotations = `registry_rotations_total{server="${registry}"}`;
const failures = `registry_rotation_failures_total{server="${registry}"}`;

test('the metrics of a first boot show not Ready, then Ready and one start of K3s, and never a secret', async () => {
  const machine = vm('server');
  const { slipway, value, text } = measured(machine);
  await slipway.pass();
  expect(await value('ready')).toBe(0);
  await live(slipway, machine, 10 * minute, isReady);
  expect(await value('ready')).toBe(1);
  expect(await value('k3s_starts_total')).toBe(machine.units.starts);
  expect(await value('condition{condition="K3sRunning",status="true"}')).toBe(1);
  expect(await value('node_info{name="server-1",role="server",k3s="v1.36.3+k3s1"}')).toBe(1);
  expect(await value('changes_total{kind="Executable"}')).toBeGreaterThan(0);
  expect(await value(rotations)).toBe(1);
  for (const secret of [joinToken, gitToken, 'eyJ']) {
    expect(await text()).not.toContain(secret);
  }
});

test('the metrics count one rotation per password, and show the times of the current password', async () => {
  const machine = vm('agent');
  const { slipway, value } = measured(machine);
  await live(slipway, machine, 6 * hour);
  expect(await value(rotations)).toBe(passwordCalls(machine));
  expect(await value(rotations)).toBe(1 + 3);
  expect(await value(failures)).toBe(0);
  const labels = `{server="${registry}"}`;
  const received = (await value(`registry_credential_received_timestamp_seconds${labels}`)) ?? 0;
  expect(await value(`registry_credential_expiry_timestamp_seconds${labels}`)).toBe(received + 3 * 3600);
  expect(await value(`registry_credential_renewal_timestamp_seconds${labels}`)).toBeGreaterThan(received);
});

test('the metrics count each failed attempt while a registry is down, and one rotation after the outage', async () => {
  const machine = vm('agent');
  const { slipway, value } = measured(machine);
  await live(slipway, machine, 10 * minute, isReady);
  machine.cloud.fail('registryPassword', new NodeError('RegistryUnavailable', 'down'));
  await live(slipway, machine, 150 * minute);
  const failed = passwordCalls(machine) - 1;
  expect(failed).toBeGreaterThan(5);
  expect(await value(failures)).toBe(failed);
  expect(await value('condition_reason{condition="Registries",reason="RegistryUnavailable"}')).toBe(1);
  machine.cloud.heal();
  await live(slipway, machine, 20 * minute);
  expect(await value(failures)).toBe(failed);
  expect(await value(rotations)).toBe(2);
});
