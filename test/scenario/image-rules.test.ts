import { expect, test } from 'vitest';
import { condition, isReady, live, noRestarts, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const file = '/etc/iptables/rules.v4';
const rejecting = /^-A (?:INPUT|FORWARD) -j REJECT --reject-with icmp-host-prohibited\n/gm;

/** A short version of the rules in Oracle's Ubuntu images, without the chain InstanceServices. */
const image = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
`;

const consent =
  'consent: { imageRules: [INPUT -j REJECT --reject-with icmp-host-prohibited, FORWARD -j REJECT --reject-with icmp-host-prohibited] }\n';

/** Returns a VM whose kernel has the rules of the image, and that kernel. */
function onImage(settings = noRestarts): { machine: Vm; kernel: { rules: string } } {
  const machine = vm('agent', settings);
  const kernel = { rules: image };
  machine.host.files.write(file, image);
  machine.host
    .on({ file: 'systemd-run', args: / \/usr\/sbin\/iptables-save -t filter$/ }, () => kernel.rules)
    .on({ file: 'systemd-run', args: / \/usr\/sbin\/iptables -w -D / }, ({ args }) => {
      kernel.rules = kernel.rules.replace(`-A ${args.slice(args.indexOf('-D') + 1).join(' ')}\n`, '');
      return '';
    });
  return { machine, kernel };
}

test('a node whose image rejects packets is Ready, reports FirewallRejects, and keeps the rules', async () => {
  const { machine, kernel } = onImage();
  const report = await live(machine.slipway(), machine, 6 * minute);
  expect(condition(report, 'Preflight')).toBe('False FirewallRejects');
  expect(condition(report, 'NodeReady')).toBe('True InSync');
  expect(condition(report, 'Ready')).toBe('True FirewallRejects');
  expect([kernel.rules, machine.host.files.text(file)]).toEqual([image, image]);
});

test('rules of the image are removed once the settings consent, and stay away without further changes', async () => {
  const { machine, kernel } = onImage();
  const slipway = machine.slipway();
  await live(slipway, machine, 2 * minute);
  machine.host.files.write('/etc/slipway/config.d/firewall.yaml', consent);
  const report = await live(slipway, machine, 6 * minute, isReady);
  expect(condition(report, 'Preflight')).toBe('True InSync');
  const without = image.replace(rejecting, '');
  expect([kernel.rules, machine.host.files.text(file)]).toEqual([without, without]);
});

test('rules of the image are removed completely, even after a crash before any change', async () => {
  for (let mutation = 1; mutation <= 4; mutation += 1) {
    const { machine, kernel } = onImage();
    await live(machine.slipway(), machine, 2 * minute);
    machine.host.files.write('/etc/slipway/config.d/firewall.yaml', consent);
    machine.host.restart().crashBefore(mutation);
    await live(machine.slipway(), machine, 2 * minute).catch(() => {});
    expect(machine.host.crashed).toBe(true);
    machine.host.restart();
    await live(machine.slipway(), machine, 2 * minute, isReady);
    const without = image.replace(rejecting, '');
    expect([kernel.rules, machine.host.files.text(file)]).toEqual([without, without]);
  }
});

test('rules of the image are removed completely, even after a reboot between the changes to kernel and file', async () => {
  const { machine, kernel } = onImage();
  await live(machine.slipway(), machine, 2 * minute);
  machine.host.files.write('/etc/slipway/config.d/firewall.yaml', consent);
  machine.host.restart().crashBefore(2);
  await live(machine.slipway(), machine, 2 * minute).catch(() => {});
  expect(kernel.rules).not.toBe(image);
  kernel.rules = machine.host.files.text(file) ?? '';
  machine.host.restart();
  await machine.reboot();
  await live(machine.slipway(), machine, 2 * minute, isReady);
  expect(kernel.rules).toBe(image.replace(rejecting, ''));
  expect(machine.host.files.text(file)).toBe(image.replace(rejecting, ''));
});
