import { dirname } from 'node:path';
import type { Role } from '../../../roles/role.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource } from '../../engine/resource.ts';
import { advisory, forPerson } from '../../engine/severity.ts';
import type { K3sNode } from '../../node.ts';
import { imageRules, joinedCluster } from '../k3s/index.ts';
import { safeDirectories } from './directories.ts';
import { hasCgroupV1, noexecMount, refusesCgroupV1 } from './host-requirements.ts';

/** The minimum share of a VM's nominal memory that the kernel reports: with 2048 MB, it reports about 1900. */
const usable = 0.85;

/**
 * The required free space in megabytes. `first`, before the first start: for the K3s executable and the programs that
 * it unpacks. `later`: for what a running node will soon write.
 */
const room = { first: 700, later: 100 };

/** Returns the free megabytes at a path, or at its nearest existing parent if the path does not exist. */
export type FreeSpace = (path: string) => Promise<number>;

/**
 * Checks the VM's cgroups, paths, mounts, disk and memory, and the firewall rules of its image, which it changes only
 * with consent. An unsafe path, or a fault that prevents K3s from running, blocks only a node that has not joined. A
 * lack of disk space or memory never blocks, nor do firewall rules.
 */
export function preflight(node: K3sNode, memory: number, free?: FreeSpace): readonly Resource[] {
  const { role, paths } = node;
  const about = { summary: 'check that the VM can carry K3s', condition: 'Preflight' } as const;
  // If the root is that of an image, the running kernel is not the image's but that of the machine that builds it.
  const cgroups: Resource = { ...about, id: 'Cgroups', check: (host) => lookAtCgroups(host, node) };
  const disk = free && { ...about, id: 'Disk', check: (host: HostReader) => lookAtRoom(host, node, free) };
  return [
    ...(paths.root === '/' ? [cgroups] : []),
    safeDirectories(node),
    { ...about, id: 'Mounts', check: (host) => lookAtMounts(host, node) },
    ...(disk ? [disk] : []),
    {
      id: 'Memory',
      summary: 'check that the VM is large enough',
      condition: 'Preflight',
      check: async () => judgeMemory(role, memory),
    },
    ...imageRules(node),
  ];
}

function judgeMemory(role: Role, memory: number): Finding {
  if (memory >= role.memory * usable) {
    return inSync({ message: `${memory} MB of memory` });
  }
  throw new NodeError(
    'MemoryTooSmall',
    `This VM has ${memory} MB of memory; the role ${role.name} needs ${role.memory} MB. Use a larger VM size.`,
    advisory,
  );
}

async function lookAtCgroups(host: HostReader, node: K3sNode): Promise<Finding> {
  if (!(await hasCgroupV1(host)) || !(await refusesCgroupV1(host, node))) {
    return inSync();
  }
  throw new NodeError(
    'CgroupsUnsupported',
    `This kernel has cgroups of version 1, and K3s ${node.version}, which is wanted, does not start with them (1.35 and newer). ` +
      'Put systemd.unified_cgroup_hierarchy=1 on the kernel command line and reboot, or set k3s.version to a 1.34.',
    { ...forPerson, blocks: !(await joinedCluster(host, node)) },
  );
}

/** Returns the directory of the K3s executable and the directory into which K3s unpacks its programs. */
function targets({ paths }: K3sNode): readonly string[] {
  return [dirname(paths.k3s.binary), paths.k3s.data];
}

async function lookAtMounts(host: HostReader, node: K3sNode): Promise<Finding> {
  for (const path of targets(node)) {
    const mount = await noexecMount(host, path);
    if (mount === undefined) {
      continue;
    }
    throw new NodeError(
      'MountedNoexec',
      `${path} is on ${mount}, which is mounted noexec, so K3s cannot be run from there. Run: mount -o remount,exec ${mount}, ` +
        'and take noexec out of /etc/fstab.',
      { ...forPerson, blocks: !(await joinedCluster(host, node)) },
    );
  }
  return inSync();
}

async function lookAtRoom(host: HostReader, node: K3sNode, free: FreeSpace): Promise<Finding> {
  const isInstalled = (await host.stat(node.paths.k3s.binary)) !== undefined;
  const needed = isInstalled && (await joinedCluster(host, node)) ? room.later : room.first;
  for (const path of targets(node)) {
    const available = await free(path);
    if (available >= needed) {
      continue;
    }
    throw new NodeError(
      'DiskFull',
      `${available} MB are free for ${path}, and K3s ${node.version} needs ${needed} MB there. Make room, or use a larger disk.`,
      advisory,
    );
  }
  return inSync();
}
