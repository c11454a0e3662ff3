import { describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { issue } from '../lab/standins/k3s-certificates.ts';
import { booted, condition, live, noRestarts, type Vm, vm } from './a-vm.ts';
import { authority, ca } from './world.ts';

const minute = 60_000;

function nameAnother(machine: Vm, address: string): void {
  Object.assign(machine.cloud, { vm: { ...machine.cloud.vm, address } });
}

function nodeIp({ host }: Vm): string | undefined {
  return /^node-ip:\n {2}- "(.+)"$/m.exec(host.files.text('/etc/rancher/k3s/config.yaml') ?? '')?.[1];
}

test.each(['server', 'agent'])(
  'a live %s keeps its address if the cloud names another address first',
  async (role) => {
    const { machine } = await booted(role);
    nameAnother(machine, '10.9.0.7');
    const report = await live(machine.slipway(), machine, 10 * minute);
    expect(nodeIp(machine)).toBe('10.0.0.4');
    expect(machine.units.starts).toBe(1);
    expect(JSON.stringify(report.conditions)).toContain('node.ip: 10.9.0.7 would move it');
  },
);

test('node.ip changes the address of a live node', async () => {
  const { machine, slipway } = await booted('server');
  machine.host.files.write('/etc/slipway/config.d/ip.yaml', 'node: { ip: 10.9.0.7 }\n');
  await live(slipway, machine, 10 * minute);
  expect(nodeIp(machine)).toBe('10.9.0.7');
  expect(machine.units.starts).toBe(2);
});

test('a node does not keep an address that the machine no longer has', async () => {
  const { machine, slipway } = await booted('server');
  const config = machine.host.files.text('/etc/rancher/k3s/config.yaml') ?? '';
  machine.host.files.write('/etc/rancher/k3s/config.yaml', config.replace('10.0.0.4', '10.0.0.99'), 0o600);
  await live(slipway, machine, 10 * minute);
  expect(nodeIp(machine)).toBe('10.0.0.4');
});

test('pods use the interface from the cloud only while the node has the address from the cloud', async () => {
  const machine = vm('agent', noRestarts);
  Object.assign(machine.cloud, { vm: { ...machine.cloud.vm, address: '10.0.0.4', interface: 'enp7s0' } });
  await live(machine.slipway(), machine, 10 * minute);
  expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).toContain('flannel-iface: "enp7s0"');
  nameAnother(machine, '10.9.0.7');
  await live(machine.slipway(), machine, 10 * minute);
  expect(nodeIp(machine)).toBe('10.0.0.4');
  expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).not.toContain('flannel-iface');
});

const far = new NodeError('NodeAddressUnknown', 'The network is not attached.');

test.each([
  ['address', { address: undefined, addressFault: far }],
  ['external address', { externalAddress: undefined, externalAddressFault: far }],
])('a new node reports an unknown %s, and starts K3s once the address is known', async (_, unknown) => {
  const machine = vm('agent', noRestarts);
  const known = { ...machine.cloud.vm, address: '10.0.0.4', externalAddress: '203.0.113.7' };
  machine.cloud.vm = { ...known, ...unknown };
  const slipway = machine.slipway();
  const report = await live(slipway, machine, 10 * minute);
  expect(condition(report, 'Identity')).toBe('False NodeAddressUnknown');
  expect(JSON.stringify(report.conditions)).toContain('The network is not attached.');
  expect(condition(report, 'Role')).toBe('True InSync');
  expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).toBeUndefined();
  machine.cloud.vm = known;
  await live(slipway, machine, 10 * minute);
  expect(nodeIp(machine)).toBe('10.0.0.4');
  expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).toContain('- "203.0.113.7"');
  expect(machine.units.starts).toBe(1);
});

test('node.ip replaces an unknown address', async () => {
  const machine = vm('agent', `${noRestarts}node: { ip: 10.9.0.7 }\n`);
  machine.cloud.vm = { ...machine.cloud.vm, address: undefined, addressFault: far };
  await live(machine.slipway(), machine, 10 * minute);
  expect(nodeIp(machine)).toBe('10.9.0.7');
  expect(machine.units.starts).toBe(1);
});

test.each([
  ['address', { address: undefined, addressFault: far }],
  ['external address', { externalAddress: undefined, externalAddressFault: far }],
])(
  'a live node whose %s becomes unknown reports this and keeps the old address, even after a restart of Slipway',
  async (_, unknown) => {
    const machine = vm('agent', noRestarts);
    machine.cloud.vm = { ...machine.cloud.vm, address: '10.0.0.4', externalAddress: '203.0.113.7' };
    await live(machine.slipway(), machine, 10 * minute);
    machine.cloud.vm = { ...machine.cloud.vm, ...unknown };
    const report = await live(machine.slipway(), machine, 10 * minute);
    expect(condition(report, 'Identity')).toBe('False NodeAddressUnknown');
    expect(condition(report, 'NodeReady')).toBe('True InSync');
    expect(nodeIp(machine)).toBe('10.0.0.4');
    expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).toContain('- "203.0.113.7"');
    expect(machine.units.starts).toBe(1);
  },
);

describe('a node that the older scripts installed', () => {
  const { k3s } = nodePaths('/');

  /** Creates a node with an adopted K3s that uses 10.9.0.7, while the cloud lists 10.0.0.4 first. */
  function adopted(flags: string, config = ''): Vm {
    const machine = vm('agent', 'consent: { restart: [k3s-agent.service] }\n');
    const server = '--server https://10.0.0.4:6443';
    machine.units.found(
      'k3s-agent.service',
      `[Service]\nExecStart=/usr/local/bin/k3s agent ${server} ${flags}\n`,
    );
    const { certificate } = issue(authority, { commonName: 'agent-1', hosts: ['127.0.0.1', '10.9.0.7'] });
    machine.host.files.write(k3s.binary, 'k3s v1.36.3+k3s1', 0o755);
    machine.host.files.write(k3s.agentServerCa, ca);
    machine.host.files.write(k3s.kubeletCertificate, certificate);
    machine.host.files.write(k3s.kubeletKubeconfig, 'kubeconfig', 0o600);
    if (config) {
      machine.host.files.write(k3s.config, config, 0o600);
    }
    return machine;
  }

  test.each([
    ['in its kubelet certificate', '', ''],
    ['in a flag of its unit', '--node-ip 10.9.0.7', ''],
    ['in its K3s configuration', '', 'node-ip: 10.9.0.7\n'],
  ])('keeps the address %s', async (_name, flags, config) => {
    const machine = adopted(flags, config);
    await live(machine.slipway(), machine, 10 * minute);
    expect(nodeIp(machine)).toBe('10.9.0.7');
    expect(machine.units.starts).toBe(1);
  });

  test('takes the address that the cloud names if its kubelet certificate is damaged', async () => {
    const machine = adopted('');
    machine.host.files.write(
      k3s.kubeletCertificate,
      '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n',
    );
    await live(machine.slipway(), machine, 10 * minute);
    expect(nodeIp(machine)).toBe('10.0.0.4');
  });
});
