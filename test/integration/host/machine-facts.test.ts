import { expect, test } from 'vitest';
import { defaultInterface } from '../../../src/agent/engine/route-table.ts';
import { addressesOf, machineFacts } from '../../../src/agent/host/machine-facts.ts';

test('the facts of the machine include its architecture, memory and addresses except loopback', () => {
  const facts = machineFacts();
  expect(facts.arch).toBe(process.arch);
  expect(facts.memoryMb).toBeGreaterThan(128);
  expect(facts.addresses).not.toContain('127.0.0.1');
});

test("the address of the default route's interface comes first, and pod interfaces are omitted", () => {
  const table =
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n' +
    'wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\n' +
    'eth1\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\n' +
    'eth0\t0000000A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\n';
  const at = (address: string) => [{ address, internal: false }] as never;
  const interfaces = {
    cni0: at('10.42.0.1'),
    eth0: at('10.0.0.4'),
    eth1: at('10.9.0.7'),
    'flannel.1': at('10.42.0.0'),
  };
  expect(addressesOf(interfaces, defaultInterface(table))).toEqual([
    { interface: 'eth1', address: '10.9.0.7', hasDefaultRoute: true },
    { interface: 'eth0', address: '10.0.0.4', hasDefaultRoute: false },
  ]);
});
