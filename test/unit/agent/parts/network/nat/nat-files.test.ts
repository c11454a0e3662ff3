import { expect, test } from 'vitest';
import {
  forwarding,
  natFiles,
  natUnitPath,
  renderNatSysctl,
  renderNatUnit,
} from '../../../../../../src/agent/parts/network/nat/nat-files.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';

const paths = nodePaths('/');

test('the files of NAT are its sysctl file and, last, its rules', () => {
  expect(natFiles(paths)).toEqual(['/etc/sysctl.d/99-z-slipway-nat.conf', '/etc/slipway/nat.nft']);
  expect(natUnitPath(paths)).toBe('/etc/systemd/system/slipway-nat.service');
});

test('the unit of NAT turns forwarding on, and loads the rules after firewalls and before K3s', () => {
  expect(forwarding).toBe('/proc/sys/net/ipv4/ip_forward');
  expect(renderNatUnit(paths)).toBe(`# Written by Slipway
[Unit]
Description=Let private hosts out through this one (forwarding and masquerade)
ConditionPathExists=/usr/sbin/nft
After=systemd-sysctl.service netfilter-persistent.service ufw.service firewalld.service nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Before=k3s.service k3s-agent.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
ExecStart=/usr/sbin/nft -f /etc/slipway/nat.nft
ExecReload=/bin/sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
ExecReload=/usr/sbin/nft -f /etc/slipway/nat.nft

[Install]
WantedBy=multi-user.target
`);
});

test('the sysctl file of NAT turns forwarding on', () => {
  expect(renderNatSysctl()).toBe('# Written by Slipway for network.nat.\nnet.ipv4.ip_forward = 1\n');
});
