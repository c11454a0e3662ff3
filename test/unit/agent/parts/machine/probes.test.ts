import { describe, expect, test } from 'vitest';
import type { Disk, Measures } from '../../../../../src/agent/doctor/measures.ts';
import { examine } from '../../../../../src/agent/doctor/probe.ts';
import type { K3sNode } from '../../../../../src/agent/node.ts';
import { machineProbes } from '../../../../../src/agent/parts/machine/probes.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost, type StartFile } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

const well = {
  files: {
    '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
    '/proc/swaps': 'Filename\t\t\t\tType\t\tSize\n',
    '/proc/filesystems': 'nodev\tproc\n\text4\n',
  },
  directories: ['overlay', 'br_netfilter', 'vxlan', 'nf_conntrack'].map((name) => `/sys/module/${name}`),
};

const measures = measured(3_000, { size: 100_000, available: 60_000 });

function measured(memory: number, disk: Disk): Measures {
  return { memoryAvailable: async () => memory, disk: async () => disk };
}

async function lookedAt(host: MemoryHost, found: Measures = measures, node?: K3sNode) {
  const probes = machineProbes({ host, measures: found, paths: nodePaths('/'), node });
  const diagnoses = await examine(probes, { now: () => host.now() });
  return Object.fromEntries(diagnoses.map((diagnosis) => [diagnosis.what, diagnosis]));
}

function machine(files: Record<string, StartFile> = {}, directories = well.directories): MemoryHost {
  return memoryHost({ files: { ...well.files, ...files }, directories }).on(
    { file: 'uname', args: ['-r'] },
    '6.1.0-cloud\n',
  );
}

const lib = '/lib/modules/6.1.0-cloud';
const some = 'kernel/net/bridge/br_netfilter.ko.xz: kernel/net/bridge/bridge.ko.xz\n';

test('all probes of a healthy machine report ok', async () => {
  const found = await lookedAt(machine());
  expect(new Set(Object.values(found).map(({ level }) => level))).toEqual(new Set(['ok']));
  expect(found.disk?.message).toBe('60000 of 100000 MB free for /var/lib/rancher/k3s');
});

describe('a probe of the machine', () => {
  test.each([
    {
      what: 'kernel modules',
      host: machine({ [`${lib}/modules.dep`]: some }, []),
      level: 'failure',
      message: /no overlay, vxlan, nf_conntrack/,
      repair: /linux-image-amd64.*linux-modules-extra-6\.1\.0-cloud/,
    },
    {
      what: 'cgroups',
      host: machine({ '/sys/fs/cgroup/cgroup.controllers': 'cpu pids' }),
      level: 'failure',
      message: /memory/,
      repair: /cgroup_enable=memory/,
    },
    {
      what: 'cgroups',
      host: machine({ '/sys/fs/cgroup/cgroup.controllers': 'memory cpu' }),
      level: 'failure',
      message: /without pids/,
      repair: /kernel/,
    },
    {
      what: 'cgroups',
      host: machine({ '/sys/fs/cgroup/cgroup.controllers': 'memory pids' }),
      level: 'warning',
      message: /without cpu/,
      repair: /kernel/,
    },
    {
      what: 'swap',
      host: machine({ '/proc/swaps': 'Filename Type\n/dev/sda2 partition 1 0 -2\n' }),
      level: 'warning',
      message: /\/dev\/sda2/,
      repair: /swapoff/,
    },
  ] as const)(
    'reports a fault of the $what as a $level with the message $message and a repair',
    async ({ what, host, level, message, repair }) => {
      const { [what]: found } = await lookedAt(host);
      expect(found?.level).toBe(level);
      expect(found?.message).toMatch(message);
      expect(found?.repair).toMatch(repair);
    },
  );

  test('reports cgroups of version 1 as a failure', async () => {
    const host = machine();
    host.files.remove('/sys/fs/cgroup/cgroup.controllers');
    const { cgroups } = await lookedAt(host);
    expect(cgroups).toMatchObject({
      level: 'failure',
      repair: expect.stringContaining('unified_cgroup_hierarchy'),
    });
  });

  test('reports little memory and little free disk space as warnings', async () => {
    const { memory, disk } = await lookedAt(machine(), measured(100, { size: 100_000, available: 9_000 }));
    expect(memory).toMatchObject({ level: 'warning', repair: expect.stringContaining('VM size') });
    expect(disk).toMatchObject({ level: 'warning', repair: expect.stringContaining('crictl rmi --prune') });
  });

  test.each([
    [{ size: 100_000, available: 9_000 }, 'with less than a twentieth free K3s evicts pods'],
    [{ size: 5_120, available: 4_567 }, 'images and logs soon fill less than 5000 MB'],
  ])('warns about a disk with %j, and states why the free space is not enough', async (found, limit) => {
    const { disk } = await lookedAt(machine(), measured(4_000, found));
    expect(disk?.message).toContain(`${found.available} of ${found.size} MB free`);
    expect(disk?.message).toContain(limit);
  });
});

test('the probe of kernel modules accepts built-in and loadable modules', async () => {
  const lists = {
    [`${lib}/modules.dep`]: some,
    [`${lib}/modules.builtin`]: ['overlay', 'vxlan', 'nf_conntrack']
      .map((name) => `kernel/x/${name}.ko\n`)
      .join(''),
  };
  expect((await lookedAt(machine(lists, [])))['kernel modules']?.level).toBe('ok');
});

test('the probe of kernel modules is skipped if the kernel has no lists of modules', async () => {
  expect((await lookedAt(machine({}, [])))['kernel modules']?.level).toBe('skipped');
});

describe('the probe of cgroups of version 1', () => {
  test.each([
    ['v1.36.3+k3s1', {}, 'failure', /K3s v1\.36\.3\+k3s1, which is wanted, would not start/],
    ['v1.34.5+k3s1', {}, 'warning', /K3s v1\.34\.5\+k3s1, which is wanted, starts with it/],
    ['v1.36.3+k3s1', { 'kubelet-arg': ['fail-cgroupv1=false'] }, 'warning', /starts with it/],
  ] as const)('for K3s %s with the config %j, reports a %s', async (version, config, level, message) => {
    const host = machine();
    host.files.remove('/sys/fs/cgroup/cgroup.controllers');
    const { cgroups } = await lookedAt(
      host,
      measures,
      aNode('agent', { version, settings: { k3s: { config } } }),
    );
    expect(cgroups).toMatchObject({ level, message: expect.stringMatching(message) });
  });
});

test('the probe of mounts reports a noexec mount only if it contains K3s executables', async () => {
  const mounts = '/dev/sda1 / ext4 rw 0 0\ntmpfs /tmp tmpfs rw,noexec 0 0\n';
  expect((await lookedAt(machine({ '/proc/self/mounts': mounts }))).mounts?.level).toBe('ok');
  const hardened = `${mounts}/dev/sdb1 /var ext4 rw,nosuid,noexec 0 0\n`;
  expect((await lookedAt(machine({ '/proc/self/mounts': hardened }))).mounts).toMatchObject({
    level: 'failure',
    message: expect.stringContaining('/var/lib/rancher/k3s is on /var,'),
    repair: expect.stringContaining('mount -o remount,exec /var'),
  });
});
