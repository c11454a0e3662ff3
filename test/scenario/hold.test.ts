import { describe, expect, test } from 'vitest';
import { hold, release } from '../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { booted, condition, isReady, live, type Vm, vm } from './a-vm.ts';
import { annotationsOf } from './cluster.ts';

const minute = 60_000;
const paths = nodePaths('/');

async function stop({ host }: Vm, unit: string): Promise<void> {
  await host.run({ file: 'systemctl', args: ['stop', '--no-block', unit] });
}

describe.each([
  [
    'slipway hold',
    (machine: Vm) => hold(machine.host, paths, 'by hand'),
    (machine: Vm) => release(machine.host, paths),
  ],
  [
    'the tag k3s-hold',
    async (machine: Vm) => machine.cloud.tag('k3s-hold', 'by hand'),
    async (machine: Vm) => machine.cloud.tag('k3s-hold', 'false'),
  ],
  [
    'the setting maintenance.hold',
    async ({ host }: Vm) =>
      host.files.write('/etc/slipway/config.d/hold.yaml', 'maintenance: { hold: by hand }\n'),
    async ({ host }: Vm) => host.files.remove('/etc/slipway/config.d/hold.yaml'),
  ],
])('a node that is held by %s', (_, begin, end) => {
  test('does not start a K3s that was stopped by hand until the hold ends', async () => {
    const { machine, slipway } = await booted('agent');
    await begin(machine);
    await stop(machine, 'k3s-agent.service');
    const held = await live(slipway, machine, 30 * minute);
    expect(machine.units.isActive(/^k3s-agent/)).toBe(false);
    expect(condition(held, 'K3sRunning')).toBe('False Held');
    expect(condition(held, 'Ready')).toBe('False Held');
    await end(machine);
    await live(slipway, machine, 7 * minute, isReady);
    expect(machine.units.isActive(/^k3s-agent/)).toBe(true);
  });

  test('stays Ready, writes its files, and restarts K3s only after the hold', async () => {
    const { machine, slipway } = await booted('server');
    await begin(machine);
    machine.host.files.write('/etc/slipway/config.d/k3s.yaml', 'k3s: { config: { disable: [traefik] } }\n');
    const held = await live(slipway, machine, 30 * minute);
    expect(machine.host.files.text(paths.k3s.config)).toContain('traefik');
    expect(machine.units.starts).toBe(1);
    expect(condition(held, 'Ready')).toBe('True Held');
    expect(condition(held, 'Maintenance')).toBe('False Held');
    expect(annotationsOf(machine, 'server-1')['slipway.dev/hold']).toBe('by hand');
    await end(machine);
    const after = await live(slipway, machine, 10 * minute);
    expect(machine.units.starts).toBe(2);
    expect(condition(after, 'Maintenance')).toMatch(/^True/);
    expect(annotationsOf(machine, 'server-1')['slipway.dev/hold']).toBeUndefined();
  });

  test('keeps its release of K3s', async () => {
    const { machine, slipway } = await booted('server', 'k3s: { upgrade: auto }\n');
    await begin(machine);
    machine.cloud.tag('k3s-version', 'v1.36.4+k3s1');
    await live(slipway, machine, 30 * minute);
    expect(machine.host.files.text(paths.k3s.binary)).toBe('k3s v1.36.3+k3s1');
    await end(machine);
    await live(slipway, machine, 10 * minute);
    expect(machine.host.files.text(paths.k3s.binary)).toBe('k3s v1.36.4+k3s1');
  });
});

test('a VM that is held before its first boot starts K3s only after the hold, even after a reboot', async () => {
  const machine = vm('server', 'maintenance: { hold: not yet }\n');
  await live(machine.slipway(), machine, 10 * minute);
  await machine.reboot();
  const slipway = machine.slipway();
  const held = await live(slipway, machine, 10 * minute);
  expect(machine.units.starts).toBe(0);
  expect(condition(held, 'Ready')).toBe('False Held');
  machine.host.files.remove('/etc/slipway/config.d/extra.yaml');
  expect(condition(await live(slipway, machine, 10 * minute, isReady), 'Ready')).toBe('True InSync');
});
