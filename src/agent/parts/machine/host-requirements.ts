import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { fileText } from '../../resources/file-text.ts';
import { k3sFlags, parseVersion } from '../k3s/index.ts';

/**
 * The first minor version of Kubernetes 1 whose kubelet, by default, does not start with cgroups v1 (KEP-5573,
 * failCgroupV1).
 */
const firstWithoutCgroupV1 = 35;

/** True if this machine uses cgroups v1, alone or in hybrid mode with v2 (cgroups(7)). */
export async function hasCgroupV1(host: HostReader): Promise<boolean> {
  if ((await host.stat('/sys/fs/cgroup/cgroup.controllers')) !== undefined) {
    return false;
  }
  return (await host.stat('/sys/fs/cgroup/memory')) !== undefined;
}

/**
 * True if the kubelet of the wanted K3s does not start with cgroups v1: from 1.35 on, unless the settings or a drop-in
 * set kubelet-arg to fail-cgroupv1=false. A version that cannot be parsed counts as newer than 1.35.
 */
export async function refusesCgroupV1(host: HostReader, node: K3sNode): Promise<boolean> {
  const version = parseVersion(node.version);
  if (version && version.major === 1 && version.minor < firstWithoutCgroupV1) {
    return false;
  }
  const settings = [node.settings.k3s.config['kubelet-arg'] ?? []].flat().map(String);
  const dropIns = (await k3sFlags(host, node.paths)).get('kubelet-arg') ?? [];
  return ![...settings, ...dropIns].includes('fail-cgroupv1=false');
}

/**
 * Returns the mount point of the mount that contains the path if /proc/self/mounts (proc(5)) lists the mount as noexec;
 * otherwise `undefined`.
 */
export async function noexecMount(host: HostReader, path: string): Promise<string | undefined> {
  const lines = (await fileText(host, '/proc/self/mounts')).split('\n');
  const mounts = lines
    .map((line) => line.split(' '))
    .map(([, at = '', , options = '']) => ({ at: unescaped(at), options }));
  const [mount] = mounts
    .filter(({ at }) => at !== '' && `${path}/`.startsWith(at === '/' ? '/' : `${at}/`))
    // Of two mounts on the same mount point, only the later one is visible.
    .toReversed()
    .toSorted((a, b) => b.at.length - a.at.length);
  return mount?.options.split(',').includes('noexec') ? mount.at : undefined;
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}
