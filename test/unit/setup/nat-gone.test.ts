import { expect, test } from 'vitest';
import { nodePaths } from '../../../src/agent/paths.ts';
import { leftBehind } from '../../../src/setup/left-behind.ts';
import { uninstallSteps } from '../../../src/setup/uninstall-steps.ts';
import type { MemoryHost } from '../../lab/memory-host.ts';
import { aHost, told } from './a-host.ts';

const files = {
  rules: '/etc/slipway/nat.nft',
  unit: '/etc/systemd/system/slipway-nat.service',
  sysctl: '/etc/sysctl.d/99-z-slipway-nat.conf',
};
const all = { k3s: true, purge: true, keepsK3s: false };

function ingress(): MemoryHost {
  const host = aHost();
  for (const path of Object.values(files)) {
    host.files.write(path, '');
  }
  host.files.write('/run/active/slipway-nat.service', '');
  return host;
}

function there(host: MemoryHost): readonly string[] {
  return Object.values(files).filter((path) => host.files.stat(path) !== undefined);
}

test('an uninstall with every other option keeps NAT, and prints the commands that remove it', async () => {
  const host = ingress();
  await told(uninstallSteps(nodePaths('/'), all), host);
  expect(there(host)).toEqual(Object.values(files));
  expect(host.files.stat('/run/active/slipway-nat.service')).toBeDefined();
  expect(host.files.stat('/etc/slipway/config.yaml')).toBeUndefined();
  expect((await leftBehind(host, nodePaths('/'), all)).join('\n')).toContain(
    'systemctl disable --now slipway-nat.service; nft delete table ip slipway_nat; rm /etc/systemd/system/slipway-nat.service',
  );
});

test('an uninstall with --nat also removes NAT', async () => {
  const host = ingress();
  await told(uninstallSteps(nodePaths('/'), { ...all, nat: true }), host);
  expect(there(host)).toEqual([]);
  expect(host.files.stat('/run/active/slipway-nat.service')).toBeUndefined();
  expect(host.files.stat('/etc/slipway')).toBeUndefined();
  expect((await leftBehind(host, nodePaths('/'), { ...all, nat: true })).join('\n')).not.toContain('nat');
});

test('an uninstall below another root with --nat removes the rules file of NAT', async () => {
  const host = aHost();
  host.files.write('/mnt/etc/slipway/nat.nft', '');
  await told(uninstallSteps(nodePaths('/mnt'), { ...all, nat: true }), host);
  expect(host.files.stat('/mnt/etc/slipway/nat.nft')).toBeUndefined();
});

test.each([files.rules, files.unit])(
  'an uninstall prints the commands that remove NAT if only %s is left',
  async (path) => {
    const host = aHost();
    host.files.write(path, '');
    expect((await leftBehind(host, nodePaths('/'), all)).join('\n')).toContain(
      `systemctl disable --now slipway-nat.service; nft delete table ip slipway_nat; rm ${path}\n`,
    );
  },
);
