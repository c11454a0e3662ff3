import { describe, expect, test } from 'vitest';
import { type Measures, machineProbes } from '../../../../src/agent/doctor/machine.ts';
import { examine } from '../../../../src/agent/doctor/probe.ts';
import { type MemoryHost, memoryHost, type StartFile } from '../../../lab/memory-host.ts';

const well = {
  files: {
    '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
    '/proc/swaps': 'Filename\t\t\t\tType\t\tSize\n',
    '/proc/filesystems': 'nodev\tproc\n\text4\n',
  },
  directories: ['overlay', 'br_netfilter', 'vxlan', 'nf_conntrack'].map((name) => `/sys/module/${name}`),
};

const measures: Measures = {
  memoryAvailable: 3_000,
  disks: [
    { mount: '/', size: 30_000, available: 20_000 },
    { mount: '/var/lib', size: 100_000, available: 60_000 },
    { mount: '/var/lib/rancherous', size: 10, available: 1 },
  ],
};

async function lookedAt(host: MemoryHost, measured: Measures = measures) {
  const probes = machineProbes({ host, measure: async () => measured, data: '/var/lib/rancher/k3s' });
  const diagnoses = await examine(probes, { now: () => host.now() });
  return Object.fromEntries(diagnoses.map((diagnosis) => [diagnosis.what, diagnosis]));
}

function machine(files: Record<string, StartFile> = {}, directories = well.directories): MemoryHost {
  return memoryHost({ files: { ...well.files, ...files }, directories })
    .on({ file: 'modinfo' }, { exitCode: 1 })
    .on({ file: 'uname', args: ['-r'] }, '6.1.0-cloud\n');
}

test('a machine that is well', async () => {
  const found = Object.values(await lookedAt(machine()));
  expect(found.map(({ level }) => level)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
  expect(found.at(-1)?.message).toBe('60000 of 100000 MB free for /var/lib/rancher/k3s (on /var/lib)');
});

describe('a trouble is told with its cause and its repair', () => {
  test.each([
    [
      'kernel modules',
      machine({}, []),
      'failure',
      /no overlay, br_netfilter, vxlan/,
      /linux-modules-extra-6\.1\.0-cloud/,
    ],
    [
      'cgroups',
      machine({ '/sys/fs/cgroup/cgroup.controllers': 'cpu pids' }),
      'failure',
      /memory/,
      /cgroup_enable=memory/,
    ],
    [
      'swap',
      machine({ '/proc/swaps': 'Filename Type\n/dev/sda2 partition 1 0 -2\n' }),
      'warning',
      /\/dev\/sda2/,
      /swapoff/,
    ],
  ] as const)('%s', async (what, host, level, message, repair) => {
    const { [what]: found } = await lookedAt(host);
    expect(found?.level).toBe(level);
    expect(found?.message).toMatch(message);
    expect(found?.repair).toMatch(repair);
  });

  test('little memory, little disk', async () => {
    const { memory, disk } = await lookedAt(machine(), {
      memoryAvailable: 100,
      disks: [{ mount: '/', size: 100_000, available: 9_000 }],
    });
    expect(memory).toMatchObject({ level: 'warning', repair: expect.stringContaining('VM size') });
    expect(disk).toMatchObject({ level: 'warning', repair: expect.stringContaining('crictl rmi --prune') });
  });
});

test('a module counts that is built in, or can be loaded', async () => {
  const host = machine({ '/proc/filesystems': 'nodev\toverlay\n' }, []).on(
    { file: 'modinfo' },
    ({ args }) => ({
      exitCode: args.includes('overlay') ? 1 : 0,
    }),
  );
  expect((await lookedAt(host))['kernel modules']?.level).toBe('ok');
});

test('cgroups of version 1 work, and are told', async () => {
  const host = machine({}, [
    ...well.directories,
    ...['cpu', 'memory', 'pids'].map((name) => `/sys/fs/cgroup/${name}`),
  ]);
  host.files.remove('/sys/fs/cgroup/cgroup.controllers');
  expect((await lookedAt(host)).cgroups).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('version 1'),
  });
});

test('a disk nobody knows is not judged', async () => {
  expect((await lookedAt(machine(), { ...measures, disks: [] })).disk?.level).toBe('skipped');
});
