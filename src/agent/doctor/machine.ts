import type { HostReader } from '../core/host.ts';
import { failure, ok, type Probe, skipped, type Verdict, warning } from './probe.ts';

/** What can be measured of a machine; sizes in megabytes. */
export interface Measures {
  /** For programs, without what would have to be swapped. */
  readonly memoryAvailable: number;
  readonly disks: readonly Disk[];
}

export interface Disk {
  /** Where it is mounted. */
  readonly mount: string;
  readonly size: number;
  readonly available: number;
}

export interface MachineProbes {
  readonly host: HostReader;
  readonly measure: () => Promise<Measures>;
  /** Where K3s keeps its data. */
  readonly data: string;
}

/** What K3s loads or needs (K3s requirements page; flannel's vxlan backend). */
const modules = ['overlay', 'br_netfilter', 'vxlan', 'nf_conntrack'];
const controllers = ['cpu', 'memory', 'pids'];

/** Megabytes below which images and logs soon fill a disk, and the share below which kubelet evicts pods. */
const littleDisk = 5_000;
const evictionShare = 0.1;
const littleMemory = 256;

/** Whether the machine can carry K3s: its kernel, cgroups, swap, memory and disk. */
export function machineProbes({ host, measure, data }: MachineProbes): readonly Probe[] {
  const about = 'machine';
  return [
    { about, what: 'kernel modules', look: () => lookForModules(host) },
    { about, what: 'cgroups', look: () => lookAtCgroups(host) },
    { about, what: 'swap', look: () => lookAtSwap(host) },
    { about, what: 'memory', look: async () => judgeMemory(await measure()) },
    { about, what: 'disk', look: async () => judgeDisk(await measure(), data) },
  ];
}

async function lookForModules(host: HostReader): Promise<Verdict> {
  const missing: string[] = [];
  for (const name of modules) if (!(await hasModule(host, name))) missing.push(name);
  if (missing.length === 0) return ok(`${modules.join(', ')}: loaded, or can be`);
  const { stdout } = await host.query({ file: 'uname', args: ['-r'] });
  return failure(
    `the kernel ${stdout.trim()} has no ${missing.join(', ')}: pods would have no file system or network.`,
    `apt-get install linux-modules-extra-${stdout.trim()}, or use a kernel that has them`,
  );
}

async function hasModule(host: HostReader, name: string): Promise<boolean> {
  if (await host.stat(`/sys/module/${name}`)) return true;
  // One that is built in and takes no parameters has no folder there.
  const { exitCode } = await host.query({ file: 'modinfo', args: ['-n', name] });
  if (exitCode === 0) return true;
  const filesystems = (await host.readFile('/proc/filesystems'))?.content ?? '';
  return filesystems.split(/\s+/).includes(name);
}

async function lookAtCgroups(host: HostReader): Promise<Verdict> {
  const found = await host.readFile('/sys/fs/cgroup/cgroup.controllers');
  if (!found) return lookAtOldCgroups(host);
  const missing = controllers.filter((name) => !found.content.split(/\s+/).includes(name));
  return missing.length === 0 ? ok(`version 2, with ${controllers.join(', ')}`) : withoutControllers(missing);
}

async function lookAtOldCgroups(host: HostReader): Promise<Verdict> {
  const stats = await Promise.all(controllers.map((name) => host.stat(`/sys/fs/cgroup/${name}`)));
  const missing = controllers.filter((_, at) => stats[at] === undefined);
  if (missing.length > 0) return withoutControllers(missing);
  return warning(
    'version 1, which Kubernetes gives up.',
    'boot with systemd.unified_cgroup_hierarchy=1 on the kernel command line',
  );
}

function withoutControllers(missing: readonly string[]): Verdict {
  return failure(
    `without ${missing.join(', ')}: kubelet does not start.`,
    'put cgroup_enable=memory cgroup_memory=1 on the kernel command line, and reboot',
  );
}

async function lookAtSwap(host: HostReader): Promise<Verdict> {
  const [, ...swaps] = ((await host.readFile('/proc/swaps'))?.content ?? '').trim().split('\n');
  if (swaps.length === 0) return ok('none');
  const names = swaps.map((line) => line.split(/\s/)[0]).join(', ');
  return warning(
    `${names} is on: limits of memory do not hold for what is swapped.`,
    'swapoff -a, and take it out of /etc/fstab',
  );
}

function judgeMemory({ memoryAvailable }: Measures): Verdict {
  if (memoryAvailable >= littleMemory) return ok(`${memoryAvailable} MB available`);
  return warning(
    `${memoryAvailable} MB available: pods will be killed for want of it.`,
    'use a larger VM size',
  );
}

function judgeDisk({ disks }: Measures, data: string): Verdict {
  const disk = diskOf(disks, data);
  if (!disk) return skipped(`no disk is known for ${data}`);
  const { mount, size, available } = disk;
  const told = `${available} of ${size} MB free for ${data} (on ${mount})`;
  if (available >= littleDisk && available >= size * evictionShare) return ok(told);
  return warning(
    `${told}: kubelet evicts pods when less than a tenth is free.`,
    `k3s crictl rmi --prune, a larger disk, or a disk of its own mounted at ${data}`,
  );
}

/** The one with the longest mount point that leads to the path. */
function diskOf(disks: readonly Disk[], path: string): Disk | undefined {
  const leading = disks.filter(({ mount }) => `${path}/`.startsWith(mount.replace(/\/*$/, '/')));
  return leading.toSorted((a, b) => b.mount.length - a.mount.length)[0];
}
