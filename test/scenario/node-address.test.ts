import { expect, test } from 'vitest';
import { booted, live, type Vm } from './a-vm.ts';

const minute = 60_000;

function nameAnother(machine: Vm, address: string): void {
  Object.assign(machine.cloud, { vm: { ...machine.cloud.vm, address } });
}

function nodeIp({ host }: Vm): string | undefined {
  return /^node-ip:\n {2}- "(.+)"$/m.exec(host.files.text('/etc/rancher/k3s/config.yaml') ?? '')?.[1];
}

test.each(['server', 'agent'])('the address of a live %s stays when another one is guessed', async (role) => {
  const { machine } = await booted(role);
  nameAnother(machine, '10.9.0.7');
  const report = await live(machine.slipway(), machine, 10 * minute);
  expect(nodeIp(machine)).toBe('10.0.0.4');
  expect(machine.units.starts).toBe(1);
  expect(JSON.stringify(report.conditions)).toContain('node.ip: 10.9.0.7 would move it');
});

test('node.ip moves it', async () => {
  const { machine, slipway } = await booted('server');
  machine.host.files.write('/etc/slipway/config.d/ip.yaml', 'node: { ip: 10.9.0.7 }\n');
  await live(slipway, machine, 10 * minute);
  expect(nodeIp(machine)).toBe('10.9.0.7');
  expect(machine.units.starts).toBe(2);
});

test('an address that the machine has lost is not kept', async () => {
  const { machine, slipway } = await booted('server');
  const config = machine.host.files.text('/etc/rancher/k3s/config.yaml') ?? '';
  machine.host.files.write('/etc/rancher/k3s/config.yaml', config.replace('10.0.0.4', '10.0.0.99'), 0o600);
  await live(slipway, machine, 10 * minute);
  expect(nodeIp(machine)).toBe('10.0.0.4');
});
