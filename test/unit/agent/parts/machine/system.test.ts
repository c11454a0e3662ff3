import { describe, expect, test } from 'vitest';
import { renderModules, renderSysctl, system } from '../../../../../src/agent/parts/machine/system.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../a-node.ts';

const protective = { settings: { k3s: { config: { 'protect-kernel-defaults': true } } } };

test('renderModules and renderSysctl list what K3s needs, and with protect-kernel-defaults the settings of kubelet', () => {
  expect(renderModules()).toBe('# Written by Slipway for K3s.\nbr_netfilter\noverlay\n');
  expect(renderSysctl(aNode('server'))).toBe(`# Written by Slipway for K3s.
net.ipv4.ip_forward = 1
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
fs.inotify.max_user_instances = 1024
fs.inotify.max_user_watches = 524288
`);
  expect(renderSysctl(aNode('server', protective))).toContain(`vm.panic_on_oom = 0
vm.overcommit_memory = 1
kernel.panic = 10
kernel.panic_on_oops = 1
kernel.keys.root_maxkeys = 1000000
kernel.keys.root_maxbytes = 25000000
`);
});

const kernel = {
  '/proc/filesystems': 'nodev\tproc\nnodev\toverlay\n\text4\n',
  '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n',
  '/proc/sys/net/bridge/bridge-nf-call-ip6tables': '1\n',
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/fs/inotify/max_user_instances': '8192\n',
  '/proc/sys/fs/inotify/max_user_watches': '524288\n',
};

describe('the applied kernel settings', () => {
  test.each([
    ['are in sync if all are present and some exceed their minimum', {}, 'InSync', 'InSync'],
    [
      'drift if forwarding is off',
      { '/proc/sys/net/ipv4/ip_forward': '0\n' },
      'InSync',
      'Drifted (non-blocking) net.ipv4.ip_forward',
    ],
    [
      'drift if overlay is missing',
      { '/proc/filesystems': '\text4\n' },
      'Drifted (non-blocking) overlay',
      'InSync',
    ],
    [
      'drift if the limit of inotify watches is too low',
      { '/proc/sys/fs/inotify/max_user_watches': '65536\n' },
      'InSync',
      'Drifted (non-blocking) fs.inotify.max_user_watches',
    ],
  ])('%s', async (_name, changes, modules, sysctl) => {
    const host = memoryHost({ files: { ...kernel, ...changes } });
    const [, , modulesApplied, sysctlApplied] = system(aNode('agent'));
    expect(modulesApplied && (await outcome(modulesApplied, host))).toBe(modules);
    expect(sysctlApplied && (await outcome(sysctlApplied, host))).toBe(sysctl);
  });

  test('drift with protect-kernel-defaults if a value differs from the value that kubelet expects', async () => {
    const [, , , sysctl] = system(aNode('agent', protective));
    const found = sysctl && (await outcome(sysctl, memoryHost({ files: kernel })));
    expect(found).toMatch(/^Drifted vm\.panic_on_oom/);
  });

  test('are applied by one command for the modules and one for the settings', async () => {
    const host = memoryHost().on({ file: 'systemctl' });
    for (const resource of system(aNode('agent')).slice(2)) {
      const finding = await resource.check(host);
      if (finding.state === 'Drifted') {
        await finding.drift.remedy(host);
      }
    }
    expect(host.lines().join('\n')).toMatch(/systemd-modules-load\.service[\s\S]*systemd-sysctl\.service/);
  });

  test('are not checked below another root', () => {
    expect(system(aNode('agent', { root: '/tmp/lab' })).map(({ id }) => id)).toEqual([
      'File//tmp/lab/etc/modules-load.d/slipway-k3s.conf',
      'File//tmp/lab/etc/sysctl.d/90-slipway-k3s.conf',
    ]);
  });
});
