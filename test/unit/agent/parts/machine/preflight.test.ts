import { describe, expect, test } from 'vitest';
import { type FreeSpace, preflight } from '../../../../../src/agent/parts/machine/preflight.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, type NodeChanges, outcome } from '../../a-node.ts';

const joined = { '/var/lib/rancher/k3s/agent/server-ca.crt': 'ca', '/usr/local/bin/k3s': 'k3s' };
const v1 = { '/sys/fs/cgroup/memory/tasks': '' };
const noexec = { '/proc/self/mounts': '/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /usr/local ext4 rw,noexec 0 0\n' };

async function troubles(host: MemoryHost, changes: NodeChanges = {}, memory = 4_096, free?: FreeSpace) {
  const plan = preflight(aNode('agent', changes), memory, free);
  const found = await Promise.all(plan.map((resource) => outcome(resource, host)));
  return found.filter((each) => each !== 'InSync');
}

describe('preflight', () => {
  test.each<readonly [string, Readonly<Record<string, string>>, NodeChanges, readonly string[]]>([
    ['reports nothing on a healthy machine', {}, {}, []],
    ['refuses cgroups of version 1 before the first start', v1, {}, ['CgroupsUnsupported (person)']],
    [
      'reports cgroups of version 1 on a node that has joined, and does not block the node',
      { ...v1, ...joined },
      {},
      ['CgroupsUnsupported (person, non-blocking)'],
    ],
    ['judges cgroups by the wanted K3s version', v1, { version: 'v1.34.5+k3s1' }, []],
    [
      'accepts cgroups of version 1 if the settings set fail-cgroupv1=false',
      v1,
      { settings: { k3s: { config: { 'kubelet-arg': 'fail-cgroupv1=false' } } } },
      [],
    ],
    [
      'accepts cgroups of version 1 if a drop-in sets fail-cgroupv1=false',
      { ...v1, '/etc/rancher/k3s/config.yaml.d/a.yaml': 'kubelet-arg: [fail-cgroupv1=false]\n' },
      {},
      [],
    ],
    ['does not check cgroups below another root', v1, { root: '/image' }, []],
    [
      'accepts cgroups of version 2 at /sys/fs/cgroup beside a controller of version 1',
      { ...v1, '/sys/fs/cgroup/cgroup.controllers': 'memory' },
      {},
      [],
    ],
    [
      'refuses a directory of K3s on a noexec mount before the first start',
      noexec,
      {},
      ['MountedNoexec (person)'],
    ],
  ])('%s', async (_name, files, changes, expected) => {
    expect(await troubles(memoryHost({ files }), changes)).toEqual(expected);
  });

  test('reports DiskFull for 300 MB of free space only before the first start of K3s, but for 50 MB also afterwards', async () => {
    const free = async () => 300;
    expect(await troubles(memoryHost(), {}, 4_096, free)).toEqual(['DiskFull (person, non-blocking)']);
    expect(await troubles(memoryHost({ files: joined }), {}, 4_096, free)).toEqual([]);
    expect(await troubles(memoryHost({ files: joined }), {}, 4_096, async () => 50)).toEqual([
      'DiskFull (person, non-blocking)',
    ]);
  });

  test('requires 700 MB until K3s is installed and has joined, and 100 MB afterwards', async () => {
    for (const path of Object.keys(joined)) {
      const host = memoryHost({ files: { [path]: 'x' } });
      expect(await troubles(host, {}, 4_096, async () => 300)).toEqual(['DiskFull (person, non-blocking)']);
      expect(await troubles(host, {}, 4_096, async () => 700)).toEqual([]);
    }
    expect(await troubles(memoryHost({ files: joined }), {}, 4_096, async () => 100)).toEqual([]);
  });

  test('accepts a VM whose kernel reports at least 85 percent of the memory that the role needs', async () => {
    expect(await troubles(memoryHost(), {}, 436)).toEqual([]);
    expect(await troubles(memoryHost(), {}, 435)).toEqual(['MemoryTooSmall (person, non-blocking)']);
  });

  test('reports too little memory, which does not block the node', async () => {
    expect(await troubles(memoryHost(), {}, 100)).toEqual(['MemoryTooSmall (person, non-blocking)']);
  });
});
