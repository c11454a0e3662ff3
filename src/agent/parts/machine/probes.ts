import { dirname } from 'node:path';
import type { Disk, Measures } from '../../doctor/measures.ts';
import { failure, ok, type Probe, skipped, type Verdict, warning } from '../../doctor/probe.ts';
import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import type { NodePaths } from '../../paths.ts';
import { fileText } from '../../resources/file-text.ts';
import { noexecMount, refusesCgroupV1 } from './host-requirements.ts';

export interface MachineProbes {
  readonly host: HostReader;
  readonly measures: Measures;
  readonly paths: NodePaths;
  /** The node; absent while its role is unknown. */
  readonly node?: K3sNode | undefined;
}

/** The kernel modules that K3s loads or needs (K3s requirements page; flannel's vxlan backend). */
const modules = ['overlay', 'br_netfilter', 'vxlan', 'nf_conntrack'];
/**
 * The cgroup controllers that kubelet needs. Without the first two, kubelet does not start; without the last, kubelet
 * cannot enforce CPU limits.
 */
const controllers = ['memory', 'pids', 'cpu'];

/** The free space in megabytes below which images and logs soon fill the disk. */
const littleDisk = 5_000;
/** The free share of the disk below which the probe warns: twice the share at which K3s's kubelet evicts pods. */
const littleShare = 0.1;
/** The available memory in megabytes below which the probe warns. */
const littleMemory = 256;

/** Returns the probes of the machine: its kernel modules, cgroups, swap, memory, mounts and disk. */
export function machineProbes({ host, measures, paths, node }: MachineProbes): readonly Probe[] {
  const { data, binary } = paths.k3s;
  const about = 'machine';
  return [
    { about, what: 'kernel modules', look: () => lookForModules(host) },
    { about, what: 'cgroups', look: () => lookAtCgroups(host, node) },
    { about, what: 'swap', look: () => lookAtSwap(host) },
    { about, what: 'memory', look: async () => judgeMemory(await measures.memoryAvailable()) },
    { about, what: 'mounts', look: () => lookAtMounts(host, [dirname(binary), data]) },
    { about, what: 'disk', look: async () => judgeDisk(await measures.disk(data), data) },
  ];
}

async function lookForModules(host: HostReader): Promise<Verdict> {
  const { stdout } = await host.query({ file: 'uname', args: ['-r'] });
  const kernel = stdout.trim();
  const stats = await Promise.all(modules.map((name) => host.stat(`/sys/module/${name}`)));
  const notLoaded = modules.filter((_, at) => stats[at] === undefined);
  if (notLoaded.length === 0) {
    return ok(`${modules.join(', ')}: loaded`);
  }
  const known = await modulesOf(host, kernel);
  if (known === undefined) {
    return skipped(`/lib/modules/${kernel} is missing, so nothing is known of ${notLoaded.join(', ')}`);
  }
  const missing = notLoaded.filter((name) => !known.includes(`/${name}.ko`));
  if (missing.length === 0) {
    return ok(`${modules.join(', ')}: loaded, or can be`);
  }
  return failure(
    `the kernel ${kernel} has no ${missing.join(', ')}: pods would have no file system or network.`,
    `use a kernel that has them; Debian: linux-image-amd64 or -arm64, Ubuntu: linux-modules-extra-${kernel}`,
  );
}

/**
 * Returns the lists of the kernel's loadable and built-in modules as one string (modules.dep(5)); `undefined` if the
 * list of loadable ones is missing.
 */
async function modulesOf(host: HostReader, kernel: string): Promise<string | undefined> {
  const [loadable, builtIn] = await Promise.all(
    ['modules.dep', 'modules.builtin'].map((name) => host.readFile(`/lib/modules/${kernel}/${name}`)),
  );
  return loadable && `${loadable.content}${builtIn?.content ?? ''}`;
}

async function lookAtCgroups(host: HostReader, node: K3sNode | undefined): Promise<Verdict> {
  const found = await host.readFile('/sys/fs/cgroup/cgroup.controllers');
  if (!found) {
    const repair = 'put systemd.unified_cgroup_hierarchy=1 on the kernel command line, and reboot';
    if (node && !(await refusesCgroupV1(host, node))) {
      return warning(
        `version 1: K3s ${node.version}, which is wanted, starts with it; 1.35 and newer do not.`,
        repair,
      );
    }
    const about = node ? `K3s ${node.version}, which is wanted,` : 'K3s 1.35 and newer';
    return failure(`not version 2: ${about} would not start.`, repair);
  }
  const missing = controllers.filter((name) => !found.content.split(/\s+/).includes(name));
  if (missing.length === 0) {
    return ok(`version 2, with ${controllers.join(', ')}`);
  }
  if (missing.join() === 'cpu') {
    return warning('without cpu: limits of it do not hold.', anotherKernel);
  }
  const repair = missing.includes('memory')
    ? 'put cgroup_enable=memory on the kernel command line, and reboot'
    : anotherKernel;
  return failure(`without ${missing.join(', ')}: kubelet does not start.`, repair);
}

const anotherKernel = "use a kernel with this controller, such as the distribution's own";

async function lookAtSwap(host: HostReader): Promise<Verdict> {
  const [, ...swaps] = (await fileText(host, '/proc/swaps')).trim().split('\n');
  if (swaps.length === 0) {
    return ok('none');
  }
  const names = swaps.map((line) => line.split(/\s/)[0]).join(', ');
  return warning(
    `${names} is on: limits of memory do not hold for what is swapped.`,
    'swapoff -a, and take it out of /etc/fstab',
  );
}

async function lookAtMounts(host: HostReader, paths: readonly string[]): Promise<Verdict> {
  for (const path of paths) {
    const mount = await noexecMount(host, path);
    if (mount !== undefined) {
      return failure(
        `${path} is on ${mount}, which is mounted noexec: K3s cannot be run.`,
        `mount -o remount,exec ${mount}, and take noexec out of /etc/fstab`,
      );
    }
  }
  return ok('K3s can be run from its directories');
}

function judgeMemory(available: number): Verdict {
  if (available >= littleMemory) {
    return ok(`${available} MB available`);
  }
  return warning(`${available} MB available: pods will be killed for lack of it.`, 'use a larger VM size');
}

function judgeDisk({ size, available }: Disk, data: string): Verdict {
  const told = `${available} of ${size} MB free for ${data}`;
  if (available >= littleDisk && available >= size * littleShare) {
    return ok(told);
  }
  const evicts = 'with less than a twentieth free K3s evicts pods';
  const fills = `images and logs soon fill less than ${littleDisk} MB`;
  return warning(
    `${told}: ${available < size * littleShare ? evicts : fills}.`,
    `k3s crictl rmi --prune, a larger disk, or a disk of its own mounted at ${data}`,
  );
}
